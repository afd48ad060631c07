package sock

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is how long a test waits for an expected event.
const testTimeout = 30 * time.Second

// listen listens on a free port. Its caller closes it before the poller.
func listen(t *testing.T, p *Poller) *Listener {
	t.Helper()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return Listen(raw, p)
}

// pair returns both ends of a connection: the server's and the peer's.
func pair(t testing.TB, stallAfter time.Duration, prepare ...func(*Listener)) (*Conn, *net.TCPConn, *Listener) {
	t.Helper()
	p, err := NewPoller(stallAfter)
	if err != nil {
		t.Fatal(err)
	}
	// Small kernel buffers, so that few bytes suffice to leave some pending.
	small := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		return errors.Join(raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 16<<10) }), err)
	}}
	raw, err := small.Listen(t.Context(), "tcp", "127.0.0.1:0") // accepted connections inherit them
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(raw, p)
	for _, p := range prepare {
		p(l)
	}
	peer, err := net.Dial("tcp", raw.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.(*Conn).Abort()
		peer.Close()
		l.Close()
		p.Close()
	})
	return c.(*Conn), peer.(*net.TCPConn), l
}

// A testHandler is a Handler that tests can wait for.
type testHandler chan Event

func (e testHandler) Ready(event Event) { e <- event }

func (e testHandler) wait(t *testing.T, want Event) {
	t.Helper()
	select {
	case got := <-e:
		if got&want == 0 {
			t.Fatalf("got event %b, want %b", got, want)
		}
	case <-time.After(testTimeout):
		t.Fatalf("no event, want %b", want)
	}
}

// pending returns how many bytes of Write the kernel has not accepted, and since when.
func pending(c *Conn) (bytes int, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending), c.since
}

// fill writes until many bytes are pending, and returns all written bytes.
func fill(t *testing.T, c *Conn) []byte {
	t.Helper()
	var all []byte
	chunk := make([]byte, 256<<10)
	for {
		for i := range chunk {
			chunk[i] = byte(len(all) + i)
		}
		if _, err := c.Write(chunk); err != nil {
			t.Fatal(err)
		}
		all = append(all, chunk...)
		if n, since := pending(c); n >= MaxPending/2 {
			if since.IsZero() {
				t.Error("bytes are pending without a start time")
			}
			return all
		}
	}
}

func TestWriteQueuesExcessAndSendsItInOrder(t *testing.T) {
	c, peer, l := pair(t, time.Minute)
	e := make(testHandler, 10)
	c.Handle(e)
	all := fill(t, c)
	more := []byte("behind what is pending")
	if _, err := c.Write(more); err != nil {
		t.Fatal(err)
	}
	all = append(all, more...)
	got := make([]byte, len(all))
	if _, err := io.ReadFull(peer, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, all) {
		t.Error("the received bytes differ from the written ones")
	}
	e.wait(t, Drained)
	if n, _ := pending(c); n != 0 {
		t.Errorf("%d bytes pending after Drained", n)
	}
	if out := l.Counts().BytesOut; out != uint64(len(all)) {
		t.Errorf("counted %d bytes out, want %d", out, len(all))
	}
}

func TestWriteFailsBeyondMaxPending(t *testing.T) {
	c, _, _ := pair(t, time.Minute)
	fill(t, c)
	chunk := make([]byte, MaxPending/4)
	var err error
	for range 10 {
		if _, err = c.Write(chunk); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrPending) {
		t.Errorf("got %v, want %v", err, ErrPending)
	}
}

// Peers that do not read use a bounded amount of memory together: one that would need more is closed and counted.
func TestPendingBytesOfAllAreBounded(t *testing.T) {
	c, peer, l := pair(t, time.Minute, func(l *Listener) { l.poller.MaxPending = 256 << 10 })
	e := make(testHandler, 10)
	c.Handle(e)
	chunk := make([]byte, 64<<10)
	sent := 0
	for !c.Unsent() {
		n, err := c.Write(chunk)
		if err != nil {
			t.Fatal(err)
		}
		sent += n
	}
	if n, _ := pending(c); l.poller.pending.Load() != int64(n) {
		t.Errorf("counted %d bytes, %d are pending", l.poller.pending.Load(), n)
	}
	if _, err := io.CopyN(io.Discard, peer, int64(sent)); err != nil {
		t.Fatal(err)
	}
	e.wait(t, Drained)
	if n := l.poller.pending.Load(); n != 0 {
		t.Errorf("counted %d bytes, none are pending", n)
	}
	var err error
	for range 100 {
		if _, err = c.Write(chunk); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrPending) {
		t.Errorf("got %v, want %v", err, ErrPending)
	}
	if _, err := c.Write(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after that: %v, want %v", err, net.ErrClosed)
	}
	if n := l.Counts(); n.Open != 0 || n.Stalled != 1 || l.poller.pending.Load() != 0 {
		t.Errorf("%d open, %d stalled, %d bytes pending, want 0, 1 and 0", n.Open, n.Stalled, l.poller.pending.Load())
	}
}

func TestCloseSendsPendingBytesFirst(t *testing.T) {
	c, peer, l := pair(t, time.Minute)
	all := fill(t, c)
	c.Close()
	if _, err := c.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after close: got %v, want %v", err, net.ErrClosed)
	}
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, all) {
		t.Errorf("got %d bytes and %v, want %d", len(got), err, len(all))
	}
	if open := l.Counts().Open; open != 0 {
		t.Errorf("%d connections open", open)
	}
}

func TestStalledPeerIsReported(t *testing.T) {
	c, _, _ := pair(t, 500*time.Millisecond)
	e := make(testHandler, 100)
	c.Handle(e)
	fill(t, c)
	e.wait(t, Stalled)
}

func TestStalledPeerWithoutHandlerIsClosedAndCounted(t *testing.T) {
	c, peer, l := pair(t, 500*time.Millisecond)
	all := fill(t, c)
	until(t, "counted as stalled", func() bool { return l.Counts().Stalled == 1 })
	got, _ := io.ReadAll(peer)
	if len(got) >= len(all) {
		t.Errorf("the peer got all %d bytes: the connection had not stalled", len(got))
	}
}

func TestHangupIsReportedWithoutReading(t *testing.T) {
	c, peer, _ := pair(t, time.Minute)
	e := make(testHandler, 10)
	c.Handle(e)
	c.Watch(Hangup)
	peer.Close()
	e.wait(t, Hangup)
}

func TestReadableIsReportedOncePerWatch(t *testing.T) {
	c, peer, _ := pair(t, time.Minute)
	e := make(testHandler, 10)
	c.Handle(e)
	for _, message := range []string{"first", "second"} {
		if already := c.Watch(Readable); already != 0 {
			t.Fatalf("got event %b before the %s message arrived", already, message)
		}
		if _, err := peer.Write([]byte(message)); err != nil {
			t.Fatal(err)
		}
		e.wait(t, Readable)
		got := make([]byte, 2*len(message)) // a read that does not fill the buffer has read all bytes
		if n, err := io.ReadAtLeast(c, got, len(message)); err != nil || string(got[:n]) != message {
			t.Fatalf("got %q, %v, want %q", got[:n], err, message)
		}
	}
	if len(e) != 0 {
		t.Errorf("%d events too many", len(e))
	}
}

func TestBufferedBytesAreReadableImmediately(t *testing.T) {
	c, peer, _ := pair(t, time.Minute)
	e := make(testHandler, 10)
	c.Handle(e)
	c.Watch(Hangup)
	if _, err := peer.Write([]byte("pipelined")); err != nil {
		t.Fatal(err)
	}
	watch(t, c, e, Readable)
	got := make([]byte, len("pipelined"))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "pipelined" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := c.ReadNow(got); !errors.Is(err, ErrNothing) {
		t.Errorf("read again: got %v, want %v", err, ErrNothing)
	}
	peer.Close()
	watch(t, c, e, Readable)
	watch(t, c, e, Hangup)
	if _, err := c.Read(got); !errors.Is(err, io.EOF) {
		t.Errorf("read to the end: got %v, want %v", err, io.EOF)
	}
}

// watch waits for an event, unless it has already happened.
func watch(t *testing.T, c *Conn, e testHandler, want Event) {
	t.Helper()
	if already := c.Watch(want); already == 0 {
		e.wait(t, want)
	}
}

func TestUnreadBytesAreReadFirst(t *testing.T) {
	c, peer, _ := pair(t, time.Minute)
	if _, err := peer.Write([]byte("one two")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 7)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	c.Unread(got[4:])
	c.Unread(got[3:4])
	if n, err := c.ReadNow(got); err != nil || string(got[:n]) != " two" {
		t.Errorf("got %q, %v, want %q", got[:n], err, " two")
	}
}

func TestReadEndsAtDeadlineAndOnClose(t *testing.T) {
	c, _, _ := pair(t, time.Minute)
	for _, set := range []func(){
		func() { _ = c.SetReadDeadline(time.Now().Add(time.Millisecond)) }, // before the read
		func() { go c.SetReadDeadline(time.Unix(1, 0)) },                   // perhaps while it waits
	} {
		set()
		var timeout net.Error
		if _, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	go c.Abort()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
}

func TestAddressesMatchPeer(t *testing.T) {
	c, peer, _ := pair(t, time.Minute)
	if c.LocalAddr().String() != peer.RemoteAddr().String() || c.RemoteAddr().String() != peer.LocalAddr().String() {
		t.Errorf("got %v and %v, want %v and %v", c.LocalAddr(), c.RemoteAddr(), peer.RemoteAddr(), peer.LocalAddr())
	}
}

// A workerFunc is a Worker.
type workerFunc func()

func (w workerFunc) Work() { w() }

// A worker that waits for its client must not keep the others waiting.
func TestWorkersContinueWhileSomeWait(t *testing.T) {
	const waiting = 20 // far more than there are processors
	_, _, l := pair(t, time.Minute)
	var peers []net.Conn
	got := make(chan byte, waiting)
	for range waiting {
		peer, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := accepted.(*Conn)
		defer c.Abort()
		peers = append(peers, peer)
		l.poller.Work(workerFunc(func() {
			var b [1]byte
			if _, err := c.ReadWorking(b[:]); err != nil {
				t.Error(err)
			}
			got <- b[0]
		}))
	}
	for i := waiting - 1; i >= 0; i-- { // the last first: all workers must have started
		if _, err := peers[i].Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if b := <-got; b != byte(i) {
			t.Fatalf("got %d, want %d", b, i)
		}
	}
}

// A peer that sends without end must not be read beyond the deadline.
func TestDeadlineAppliesWhileDataIsAvailable(t *testing.T) {
	c, peer, _ := pair(t, time.Minute)
	if _, err := peer.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil { // so the rest has arrived, too
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	for _, read := range []func([]byte) (int, error){c.Read, c.ReadWorking} {
		if n, err := read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %d bytes and %v, want %v", n, err, os.ErrDeadlineExceeded)
		}
	}
}

// A worker whose client always has sent more lets the queued jobs run before it reads on.
func TestWorkersTakeTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c, peer, l := pair(t, time.Minute)
	const size = 64 << 10
	if _, err := peer.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	all, done := make(chan struct{}), make(chan struct{})
	read, readBefore := 0, 0
	p := l.poller
	p.Work(workerFunc(func() { <-all })) // keeps the only worker until all jobs are queued
	p.Work(workerFunc(func() {
		for piece := make([]byte, 512); read < size; {
			n, err := c.ReadWorking(piece)
			if read += n; err != nil {
				t.Error(err)
				break
			}
		}
		close(done)
	}))
	p.Work(workerFunc(func() { readBefore = read }))
	close(all)
	<-done
	if readBefore >= size {
		t.Errorf("a queued job ran after %d of %d bytes, want earlier", readBefore, size)
	}
}

// Under constant load the queue is never empty.
func TestQueueOfWorkersDoesNotGrow(t *testing.T) {
	var w workers
	for range 4 {
		w.push(workerFunc(nil))
	}
	for range 10_000 {
		w.push(w.next())
	}
	if n := cap(w.jobs); n > 64 {
		t.Errorf("a queue of 4 jobs has room for %d", n)
	}
}

// until polls a condition until it is true.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	limit := time.After(testTimeout)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-limit:
			t.Fatalf("not %s within %s", what, testTimeout)
		case <-tick.C:
		}
	}
}

func TestAcceptRetriesWithoutDescriptors(t *testing.T) {
	p, err := NewPoller(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l := listen(t, p)
	defer l.Close()
	failures, accept := []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.EPROTO, syscall.ENETDOWN, syscall.EHOSTUNREACH, syscall.EPERM}, l.accept
	l.accept = func(noDelay bool) (socket, error) {
		if len(failures) == 0 {
			return accept(noDelay)
		}
		err := failures[0]
		failures = failures[1:]
		return socket{}, os.NewSyscallError("accept4", err)
	}
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n := l.Counts(); n.Accepted != 1 || n.AcceptErrors != 7 {
		t.Errorf("got %+v, want 1 accepted and 7 errors", n)
	}
	failures = []error{syscall.EINVAL}
	if _, err := l.Accept(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v, want the permanent error EINVAL", err)
	}
}

func TestCountsAreExact(t *testing.T) {
	c, peer, l := pair(t, time.Minute)
	if _, err := peer.Write([]byte("12345")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("123")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(peer, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	want := Counts{Accepted: 1, Open: 1, BytesIn: 5, BytesOut: 3}
	if got := l.Counts(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
