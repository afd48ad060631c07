package sock

import (
	"io"
	"testing"
	"time"
)

// A panickingHandler panics at its first event.
type panickingHandler struct{}

func (panickingHandler) Ready(Event) { panic("intended by the test") }

// A panickingWorker panics, and closes the channel when it is aborted.
type panickingWorker chan struct{}

func (panickingWorker) Work()    { panic("intended by the test") }
func (w panickingWorker) Abort() { close(w) }

func TestPanicClosesOnlyItsConnection(t *testing.T) {
	panics := make(chan any, 10)
	var poller *Poller
	c, peer, _ := pair(t, time.Minute, func(l *Listener) {
		poller = l.poller
		poller.Panicked = func(v any) { panics <- v }
	})
	aborted := make(panickingWorker)
	poller.Work(aborted)
	<-aborted
	poller.Work(workerFunc(func() { panic("intended by the test") })) // has no method Abort
	c.Handle(panickingHandler{})
	if c.Watch(Readable) == 0 {
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.ReadAll(peer) // ends, perhaps with a reset
	for range 3 {
		if v := <-panics; v != "intended by the test" {
			t.Errorf("got %v", v)
		}
	}
}
