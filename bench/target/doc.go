// Package target is the protocol of a server that is not pushbench's own, as its target file describes
// it.
//
// It owns what a client sends to such a server, when the client is subscribed, and which replies keep
// the connection open. It must never read or write a socket, and never parse an envelope: payloads are found
// by package payload.
package target
