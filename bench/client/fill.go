package client

// fillName begins the header that fills a head up.
const fillName = "Cookie: "

// fillHead appends to a head, which lacks only the empty line that ends it, the header
// that makes it as long as it is to be, that line included. One that leaves no room for
// the header stays as it is.
func fillHead(head []byte, size int) []byte {
	const end = "\r\n"
	room := size - len(head) - len(fillName) - 2*len(end)
	if room < 1 {
		return head
	}
	return append(append(append(head, fillName...), filling(room)...), end...)
}

// filling is a value that says nothing.
func filling(n int) []byte {
	value := make([]byte, n)
	for i := range value {
		value[i] = 'x'
	}
	return value
}
