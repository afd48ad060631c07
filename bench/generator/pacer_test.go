package generator

import (
	"slices"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/goroutine"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/schedule"
	"pushbench/scenarios"
)

// A recordingSession is a session that records publications.
type recordingSession struct {
	t   *testing.T
	ids []uint32
	at  []clock.Instant
}

func (s *recordingSession) Publish(id uint32, _ string, data []byte) {
	s.ids = append(s.ids, id)
	s.at = append(s.at, clock.Now())
	if run, index, err := payload.Parse(data); err != nil || run != 7 || index != id {
		s.t.Errorf("publication %d carries run %d, index %d, %v", id, run, index, err)
	}
}

func (s *recordingSession) Close() {}

// publishAll runs a pacer with messages due at the given offsets and a start in the past. It
// returns the published messages, and the index of the cut or -1.
func publishAll(t *testing.T, change func(*pacing, clock.Instant), offsets ...time.Duration) (published []uint32, cut int) {
	t.Helper()
	s := &scenarios.Scenario{Window: scenarios.Duration(time.Hour)}
	s.Clients.Count, s.Topics.Count, s.Topics.PerClient = 1, 1, 1
	var messages []schedule.Message
	for _, due := range offsets {
		messages = append(messages, schedule.Message{Due: due, Publisher: schedule.Backend, Size: 64})
	}
	d := &recordingSession{t: t}
	cut = -1
	done := make(chan struct{})
	p := &pacing{
		plan: schedule.Of(s, messages), run: 7, start: clock.Now().Add(-time.Minute),
		session: func(int32) client.Session { return d },
		cut:     func(i int) { cut = i },
		done:    func() { close(done) },
	}
	change(p, p.start)
	engine := goroutine.New(client.Config{})
	engine.Pace(0, p.pacers(1, func(int32) int { return 0 })[0])
	<-done
	engine.Close()
	for i, id := range d.ids {
		if due := p.start.Add(offsets[id]); d.at[i] < due {
			t.Errorf("message %d was published %v before it was due", id, due.Sub(d.at[i]))
		}
	}
	return d.ids, cut
}

func TestPacerPublishesAllThatIsDue(t *testing.T) {
	got, cut := publishAll(t, func(*pacing, clock.Instant) {}, 0, 0, time.Second, time.Minute+10*time.Millisecond)
	if want := []uint32{0, 1, 2, 3}; !slices.Equal(got, want) || cut != -1 {
		t.Errorf("published %v, cut at %d; want %v and no cut", got, cut, want)
	}
}

// Messages due by the stop are published, including complete bursts. The cut is before the next.
func TestStopPublishesWhatIsDue(t *testing.T) {
	offsets := []time.Duration{0, 1000, 1000, 1000, 2000, 3000}
	for _, c := range []struct {
		stop time.Duration
		want []uint32
		cut  int
	}{
		{-1, nil, 0},
		{0, []uint32{0}, 1},
		{999, []uint32{0}, 1},
		{1000, []uint32{0, 1, 2, 3}, 4},
		{1999, []uint32{0, 1, 2, 3}, 4},
		{3000, []uint32{0, 1, 2, 3, 4, 5}, -1},
	} {
		got, cut := publishAll(t, func(p *pacing, start clock.Instant) {
			p.stop(start.Add(c.stop))
			p.stop(start.Add(c.stop + 500)) // only the first counts
		}, offsets...)
		if !slices.Equal(got, c.want) || cut != c.cut {
			t.Errorf("stopped at %d ns: published %v, cut at %d; want %v, %d", c.stop, got, cut, c.want, c.cut)
		}
	}
}

// A halt drops all remaining messages. There is no cut, so they remain expected.
func TestHaltDropsWithoutACut(t *testing.T) {
	got, cut := publishAll(t, func(p *pacing, _ clock.Instant) { p.halt() }, 0, time.Hour)
	if len(got) != 0 || cut != -1 {
		t.Errorf("published %v, cut at %d; want nothing and no cut", got, cut)
	}
}

func TestHaltInterruptsAWaitingPacer(t *testing.T) {
	got, _ := publishAll(t, func(p *pacing, _ clock.Instant) { time.AfterFunc(time.Millisecond, p.halt) }, 0, 2*time.Minute)
	if len(got) > 1 {
		t.Errorf("published %v, want at most the first", got)
	}
}

func TestLastDueIsTheWindowsEndOrTheStop(t *testing.T) {
	const start = clock.Instant(1000)
	p := &pacing{plan: &schedule.Schedule{Closes: time.Second}, start: start}
	if got, want := p.lastDue(), start.Add(time.Second); got != want {
		t.Errorf("last due %d, want %d: the window's end", got, want)
	}
	p.stop(2000)
	if got := p.lastDue(); got != 2000 {
		t.Errorf("last due %d, want 2000: the stop", got)
	}
	late := &pacing{plan: p.plan, start: start}
	late.stop(start.Add(time.Hour))
	if got, want := late.lastDue(), start.Add(time.Second); got != want {
		t.Errorf("last due %d, want %d: a stop does not extend the window", got, want)
	}
}

// Every message belongs to one pacer, every pacer keeps the due order, and the last pacer calls done
// once.
func TestPacersShareThePlan(t *testing.T) {
	s := &scenarios.Scenario{Window: scenarios.Duration(time.Hour)}
	s.Clients.Count, s.Topics.Count, s.Topics.PerClient = 7, 1, 1
	var messages []schedule.Message
	for i := range 50 {
		messages = append(messages, schedule.Message{Due: time.Duration(i), Publisher: int32(i % 7), Size: 64})
	}
	done := 0
	p := &pacing{plan: schedule.Of(s, messages), session: func(int32) client.Session { return nil }, done: func() { done++ }}
	seen := map[uint32]int{}
	for w, pacer := range p.pacers(3, func(publisher int32) int { return int(publisher) % 3 }) {
		last := int64(-1)
		for _, ok := pacer.Next(); ok; _, ok = pacer.Next() {
			m := pacer.Take()
			seen[m.ID]++
			if int64(m.ID) <= last || int(m.ID)%7%3 != w {
				t.Errorf("pacer %d publishes message %d after %d", w, m.ID, last)
			}
			last = int64(m.ID)
		}
		pacer.Next() // a second call must not call done again
		if want := w / 2; done != want {
			t.Errorf("after pacer %d: done was called %d times, want %d", w, done, want)
		}
	}
	if len(seen) != len(messages) {
		t.Errorf("%d of %d messages were published", len(seen), len(messages))
	}
}
