package goroutine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/clock"
)

// sends is an outbox whose writes take no time, on a connection whose reader
// calls release and proceed; and what its session was told.
func sends(waits bool) (*outbox, *clienttest.Observer) {
	r := clienttest.NewObserver()
	s := &session{Subscriber: client.NewSubscriber(&client.Config{InFlight: 100, Traffic: new(client.Traffic)}, client.Subscription{}, r, new(client.Scratch))}
	o := &outbox{session: s, online: func() bool { return true }, awaitsResponse: waits}
	o.send = func(p client.Outgoing) error {
		o.sending(&p)
		return nil
	}
	return o, r
}

// waited is what the outbox told of how long a publication was held up.
func waited(t *testing.T, r *clienttest.Observer, id uint32) time.Duration {
	t.Helper()
	for _, e := range clienttest.Events(r.All(), 0, client.Sending) {
		if e.ID == id {
			return e.Waited
		}
	}
	t.Fatalf("publication %d was not told to be sent", id)
	return 0
}

// The connection is free, and the goroutine that is to send comes late: that is the
// generator's lateness, and no time of it may be called waiting for the connection.
func TestOurOwnDelayIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, r := sends(false)
		o.busy = true // the goroutine is on its way
		o.publish(1, "a", nil)
		o.publish(2, "a", nil)
		time.Sleep(20 * time.Millisecond)
		o.sendQueued()
		for id := uint32(1); id <= 2; id++ {
			if got := waited(t, r, id); got != 0 {
				t.Errorf("publication %d was held up for %v, want 0s: the connection was free", id, got)
			}
		}
	})
}

// Publication 2 comes 10 ms into the 30 ms in which 1 has the connection, and is
// sent 5 ms after it became free; 3 comes before 1 has it, and waits for both.
func TestHeldUpIsTheTimeTheConnectionWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		o, r := sends(true)
		o.publish(1, "a", nil)
		time.Sleep(10 * ms)
		o.publish(2, "a", nil)
		time.Sleep(20 * ms)
		o.update((*client.Backlog).Completed)
		o.update(func(b *client.Backlog) { b.SetFree(clock.Now()) })
		time.Sleep(5 * ms) // our own
		o.publish(3, "a", nil)
		o.sendQueued() // sends 2
		time.Sleep(40 * ms)
		o.update((*client.Backlog).Completed)
		o.update(func(b *client.Backlog) { b.SetFree(clock.Now()) })
		o.sendQueued() // sends 3
		for id, want := range map[uint32]time.Duration{1: 0, 2: 20 * ms, 3: 40 * ms} {
			if got := waited(t, r, id); got != want {
				t.Errorf("publication %d was held up for %v, want %v", id, got, want)
			}
		}
	})
}

// The time in which a connection is opened again is not ours either. It is
// opened by a goroutine: whoever publishes does not wait for it.
func TestReconnectingHoldsUpWithoutHoldingThePublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, r := sends(true)
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
		o.publish(1, "a", nil) // online said yes: it broke in this moment
		o.publish(2, "a", nil)
		if took := clock.Now().Sub(before); took != 0 {
			t.Errorf("publishing took %v, want 0s", took)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		if got, want := waited(t, r, 1), 70*time.Millisecond; got != want {
			t.Errorf("held up for %v, want %v", got, want)
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

// Where no connection can be opened, what was published is dropped, each once, and its room is free again.
func TestUnreachableDropsEachOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, r := sends(true)
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
