package results

// OpenFS is Open on any file system: a folder in memory can be damaged at
// every byte in little time.
var OpenFS = openFS
