package sock

import (
	"runtime"
	"sync"
)

// A Worker does what there is to do now. It may wait in Conn.ReadWorking and in
// Poller.Wait, and must wait in nothing else.
type Worker interface{ Work() }

// workers are a few goroutines that do jobs in the order in which they came. As many
// are at it as there are processors: one that waits for a slow client lets another in.
// A goroutine for each job would be made, grow its stack and go, time and again.
type workers struct {
	mu      sync.Mutex
	needed  sync.Cond // on mu: a resting worker is needed
	jobs    []Worker
	first   int // index in jobs of the next one
	running int // goroutines that have a job or look for one
	resting int // goroutines that wait until they are needed
	closed  bool
	alive   sync.WaitGroup // goroutines, those that rest among them
}

// Work has w do its work, soon.
func (p *Poller) Work(w Worker) {
	p.workers.mu.Lock()
	defer p.workers.mu.Unlock()
	p.workers.jobs = append(p.workers.jobs, w)
	p.workers.call()
}

// Wait does what waits; if a worker does it, another may work meanwhile.
func (p *Poller) Wait(what func()) {
	p.workers.working(-1)
	defer p.workers.working(1)
	what()
}

// call lets one more at the jobs, if there are any and not too many are at it; mu is held.
func (w *workers) call() {
	if w.first == len(w.jobs) || w.running >= runtime.GOMAXPROCS(0) {
		return
	}
	w.running++
	switch {
	case w.resting > 0:
		w.resting--
		w.needed.Signal()
	case w.closed: // close may have stopped waiting
		go w.work()
	default:
		w.alive.Go(w.work)
	}
}

// work does jobs, and rests between them, until it is not needed any more.
func (w *workers) work() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for w.first < len(w.jobs) {
			j := w.next()
			w.mu.Unlock()
			j.Work()
			w.mu.Lock()
		}
		w.running--
		if w.closed || w.resting >= runtime.GOMAXPROCS(0) {
			return
		}
		w.resting++
		w.needed.Wait() // whoever ends it has counted us as running
	}
}

// next takes a job.
func (w *workers) next() (j Worker) {
	j, w.jobs[w.first] = w.jobs[w.first], nil
	if w.first++; w.first == len(w.jobs) {
		w.jobs, w.first = w.jobs[:0], 0
	}
	return j
}

// working says that a worker waits for its client, -1, or goes on, 1.
func (w *workers) working(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running += n
	w.call()
}

// close ends the workers, and waits for them. A handshake that was in progress when the
// server ended may still add a job: it is done, and not waited for.
func (w *workers) close() {
	w.mu.Lock()
	w.closed = true
	w.running += w.resting
	w.resting = 0
	w.needed.Broadcast()
	w.mu.Unlock()
	w.alive.Wait()
}
