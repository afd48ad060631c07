package client

import (
	"slices"
	"sync"
)

// awaited are the publications in frames that have no outcome yet. An engine may publish while it receives.
type awaited struct {
	mu      sync.Mutex // guards the fields below
	sent    []uint32   // in order
	settled int        // how many of the first have an outcome
}

func (a *awaited) add(id uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent = append(a.sent, id)
}

// oldest removes the oldest publication.
func (a *awaited) oldest() (id uint32, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.settled == len(a.sent) {
		return 0, false
	}
	return a.remove(a.settled), true
}

// take removes a publication, and reports whether it was awaited.
func (a *awaited) take(id uint32) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := slices.Index(a.sent[a.settled:], id) // servers respond in order: usually the first
	if at < 0 {
		return false
	}
	a.remove(a.settled + at)
	return true
}

func (a *awaited) remove(at int) (id uint32) {
	id = a.sent[at]
	copy(a.sent[a.settled+1:at+1], a.sent[a.settled:at])
	if a.settled++; 2*a.settled >= len(a.sent) { // move the others once for each of them, and keep the memory
		a.sent, a.settled = append(a.sent[:0], a.sent[a.settled:]...), 0
	}
	return id
}

// forget forgets the publications on a closed WebSocket.
func (a *awaited) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent, a.settled = a.sent[:0], 0
}
