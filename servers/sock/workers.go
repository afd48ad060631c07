package sock

import (
	"runtime"
	"sync"
)

// A Worker runs a job. It may wait in Conn.ReadWorking and in
// Poller.Wait, and must not wait anywhere else.
type Worker interface{ Work() }

// workers are a few goroutines that run jobs in order of arrival. As many
// run as there are processors: while one waits for a slow client, another may run.
// A goroutine for each job would be started, grow its stack and end, repeatedly.
type workers struct {
	poller  *Poller
	mu      sync.Mutex
	needed  sync.Cond // on mu: an idle worker is needed
	jobs    []Worker
	first   int // index in jobs of the next one
	running int // goroutines that run a job or look for one
	idle    int // goroutines that wait for a job
	closed  bool
	alive   sync.WaitGroup // goroutines, idle ones included
}

// Work queues w.
func (p *Poller) Work(w Worker) {
	p.workers.mu.Lock()
	defer p.workers.mu.Unlock()
	p.workers.jobs = append(p.workers.jobs, w)
	p.workers.startOne()
}

// Wait runs a function that waits; if a worker calls it, another worker may run in the meantime.
func (p *Poller) Wait(what func()) {
	p.workers.adjustRunning(-1)
	defer p.workers.adjustRunning(1)
	what()
}

// startOne starts one more worker, if there are jobs and a processor is free; mu is held.
func (w *workers) startOne() {
	if w.first == len(w.jobs) || w.running >= runtime.GOMAXPROCS(0) {
		return
	}
	w.running++
	switch {
	case w.idle > 0:
		w.idle--
		w.needed.Signal()
	case w.closed: // close may have returned
		go w.work()
	default:
		w.alive.Go(w.work)
	}
}

// work runs jobs, and is idle between them, until it is no longer needed.
func (w *workers) work() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for w.first < len(w.jobs) {
			j := w.next()
			w.mu.Unlock()
			w.run(j)
			w.mu.Lock()
		}
		w.running--
		if w.closed || w.idle >= runtime.GOMAXPROCS(0) {
			return
		}
		w.idle++
		w.needed.Wait() // the goroutine that wakes this one has counted it as running
	}
}

// run runs a job. After a panic it calls the job's method Abort, if it has one.
func (w *workers) run(j Worker) {
	defer func() {
		if w.poller.Panicked == nil {
			return
		}
		if v := recover(); v != nil {
			w.poller.Panicked(v)
			if a, ok := j.(interface{ Abort() }); ok {
				a.Abort()
			}
		}
	}()
	j.Work()
}

// next removes the first job.
func (w *workers) next() (j Worker) {
	j, w.jobs[w.first] = w.jobs[w.first], nil
	if w.first++; w.first == len(w.jobs) {
		w.jobs, w.first = w.jobs[:0], 0
	}
	return j
}

// adjustRunning records that a worker waits for its client, -1, or continues, 1.
func (w *workers) adjustRunning(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running += n
	w.startOne()
}

// close ends the workers and waits for them. A handshake that was in progress when the
// server ended may still add a job: it runs, but close does not wait for it.
func (w *workers) close() {
	w.mu.Lock()
	w.closed = true
	w.running += w.idle
	w.idle = 0
	w.needed.Broadcast()
	w.mu.Unlock()
	w.alive.Wait()
}
