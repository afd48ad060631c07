package goroutine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/clock"
)

// newOutbox returns an outbox whose writes take no time, and the observer of its session. The
// test frees the connection and calls sendQueued, as a reader would.
func newOutbox(awaitsResponse bool) (*outbox, *clienttest.Observer) {
	r := clienttest.NewObserver()
	s := &session{Subscriber: client.NewSubscriber(&client.Config{InFlight: 100, Traffic: new(client.Traffic)}, client.Subscription{}, r, new(client.Scratch))}
	o := &outbox{session: s, online: func() bool { return true }, awaitsResponse: awaitsResponse}
	o.send = func(p client.Outgoing) error {
		o.sending(&p)
		return nil
	}
	return o, r
}

// waited returns how long a publication waited for the connection, as the outbox reported.
func waited(t *testing.T, r *clienttest.Observer, id uint32) time.Duration {
	t.Helper()
	for _, e := range clienttest.Events(r.All(), 0, client.Sending) {
		if e.ID == id {
			return e.Waited
		}
	}
	t.Fatalf("publication %d was not sent", id)
	return 0
}

// If the connection is free and the sending goroutine is late, that is lateness of the load
// generator, and must not count as waiting for the connection.
func TestLatenessIsNotWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, r := newOutbox(false)
		o.busy = true // the sending goroutine has been started
		o.publish(1, "a", nil)
		o.publish(2, "a", nil)
		time.Sleep(20 * time.Millisecond)
		o.sendQueued()
		for id := uint32(1); id <= 2; id++ {
			if got := waited(t, r, id); got != 0 {
				t.Errorf("publication %d waited for %v, want 0s: the connection was free", id, got)
			}
		}
	})
}

// Publication 1 occupies the connection for 30 ms. Publication 2 arrives after 10 ms of them,
// and is sent 5 ms after the connection became free. Publication 3 waits while 2 is sent.
func TestWaitingIsTheTimeTheConnectionWasBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		o, r := newOutbox(true)
		o.publish(1, "a", nil)
		time.Sleep(10 * ms)
		o.publish(2, "a", nil)
		time.Sleep(20 * ms)
		o.update((*client.Backlog).Completed)
		o.update(func(b *client.Backlog) { b.SetFree(clock.Now()) })
		time.Sleep(5 * ms) // lateness of the generator
		o.publish(3, "a", nil)
		o.sendQueued() // sends 2
		time.Sleep(40 * ms)
		o.update((*client.Backlog).Completed)
		o.update(func(b *client.Backlog) { b.SetFree(clock.Now()) })
		o.sendQueued() // sends 3
		for id, want := range map[uint32]time.Duration{1: 0, 2: 20 * ms, 3: 40 * ms} {
			if got := waited(t, r, id); got != want {
				t.Errorf("publication %d waited for %v, want %v", id, got, want)
			}
		}
	})
}

// The time to reconnect counts as waiting. A separate goroutine reconnects, so that Publish
// does not block.
func TestReconnectingDoesNotBlockPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, r := newOutbox(true)
		open := false
		write := o.send
		o.send = func(p client.Outgoing) error {
			if !open {
				return client.ErrOffline
			}
			return write(p)
		}
		o.connect = func() error {
			o.update(func(b *client.Backlog) { b.SetBusy(clock.Now()) })
			defer func() { o.update(func(b *client.Backlog) { b.SetFree(clock.Now()) }) }()
			time.Sleep(70 * time.Millisecond)
			open = true
			return nil
		}
		before := clock.Now()
		o.publish(1, "a", nil) // the connection failed after online returned true
		o.publish(2, "a", nil)
		if took := clock.Now().Sub(before); took != 0 {
			t.Errorf("publishing took %v, want 0s", took)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		if got, want := waited(t, r, 1), 70*time.Millisecond; got != want {
			t.Errorf("waited for %v, want %v", got, want)
		}
		o.update((*client.Backlog).Completed)
		o.update(func(b *client.Backlog) { b.SetFree(clock.Now()) })
		o.sendQueued()
		if sent := clienttest.Events(r.All(), 0, client.Sending); len(sent) != 2 || sent[0].ID != 1 || sent[1].ID != 2 {
			t.Errorf("sent %+v, want 1 and 2 in this order", sent)
		}
		o.stop()
		o.close()
	})
}

// If no connection can be opened, each publication is dropped once and no longer in flight.
func TestUnreachableServerDropsEachPublicationOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, r := newOutbox(true)
		o.session.Config.InFlight = 3
		o.send = func(client.Outgoing) error { return client.ErrOffline }
		o.connect = func() error {
			time.Sleep(time.Second)
			return errors.New("no route to host")
		}
		for id := range uint32(5) {
			o.publish(id, "a", nil)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		causes := map[string]int{}
		seen := map[uint32]int{}
		for _, e := range clienttest.Events(r.All(), 0, client.Dropped, client.Failed, client.Acked) {
			causes[e.Cause]++
			seen[e.ID]++
		}
		if len(seen) != 5 || causes[client.CauseOffline] != 3 || causes[client.CauseInFlight] != 2 {
			t.Errorf("outcomes by publication %v, by cause %v; want one each, 3 %q, 2 %q", seen, causes, client.CauseOffline, client.CauseInFlight)
		}
		if !o.backlog.Idle() || o.busy {
			t.Errorf("backlog %+v, busy %v; want it idle, false", o.backlog, o.busy)
		}
		o.stop()
		o.close()
	})
}

// Close disconnects a session. A publication that it interrupts before the write is dropped because
// the session is closed, like those that are queued.
func TestCloseIsTheCauseOfInterruptedPublications(t *testing.T) {
	for name, interrupt := range map[string]func(*outbox){
		"before the write": func(o *outbox) {
			o.send = func(client.Outgoing) error {
				o.stop()
				return client.ErrOffline
			}
		},
		"while connecting": func(o *outbox) {
			o.online = func() bool { return false }
			o.connect = func() error {
				o.stop()
				return context.Canceled
			}
		},
	} {
		o, r := newOutbox(true)
		interrupt(o)
		o.publish(1, "a", nil)
		o.close()
		want := client.Event{Kind: client.Dropped, ID: 1, Cause: client.CauseClosed}
		if got := clienttest.Events(r.All(), 0, client.Dropped, client.Failed); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}
