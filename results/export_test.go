package results

// OpenFS is Open on any file system: corrupting each byte of a folder in memory is fast.
var OpenFS = openFS
