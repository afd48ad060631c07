package sock

import (
	"runtime"
	"sync"
)

// A Worker runs a job: one turn of a connection. It may wait in Conn.ReadWorking and in
// Poller.Wait, and must not wait anywhere else. A turn is short: a connection that has more to do
// calls Requeue, or, in the middle of its work, Yield.
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
	p.workers.push(w)
	p.workers.startOne()
}

// Requeue is Work for a worker whose turn is over although it has more to do: connections with new
// events are served first.
func (p *Poller) Requeue(w Worker) {
	p.Poll()
	p.Work(w)
}

// Yield is Requeue for a worker that cannot return: it continues after the jobs that are queued.
func (p *Poller) Yield() {
	p.Poll()
	w := &p.workers
	w.mu.Lock()
	if w.first == len(w.jobs) {
		w.mu.Unlock()
		return
	}
	t := make(turn)
	w.push(t)
	w.running--
	w.startOne()
	w.mu.Unlock()
	<-t
}

// Wait runs a function that waits; if a worker calls it, another worker may run in the meantime.
// The caller then continues in its turn.
func (p *Poller) Wait(what func()) {
	w := &p.workers
	w.mu.Lock()
	w.running--
	w.startOne()
	w.mu.Unlock()
	defer w.resume()
	what()
}

// A turn is the job of a goroutine that continues when its turn comes.
type turn chan struct{}

// Work does nothing: the worker gives its place to the goroutine instead.
func (turn) Work() {}

// resume continues a goroutine that has waited: at once if a processor is free, else in its turn.
func (w *workers) resume() {
	w.mu.Lock()
	if w.running < runtime.GOMAXPROCS(0) || w.closed {
		w.running++
		w.mu.Unlock()
		return
	}
	t := make(turn)
	w.push(t)
	w.mu.Unlock()
	<-t
}

// push queues a job; mu is held. Under constant load the queue is never empty, so its front is
// reused as well.
func (w *workers) push(j Worker) {
	if len(w.jobs) == cap(w.jobs) && w.first > len(w.jobs)/2 {
		n := copy(w.jobs, w.jobs[w.first:])
		clear(w.jobs[n:])
		w.jobs, w.first = w.jobs[:n], 0
	}
	w.jobs = append(w.jobs, j)
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
		if !w.runJobs() {
			w.running--
		}
		if w.closed || w.idle >= runtime.GOMAXPROCS(0) {
			return
		}
		w.idle++
		w.needed.Wait() // the goroutine that wakes this one has counted it as running
	}
}

// runJobs runs jobs until there are none, or until it has given its place to another goroutine;
// mu is held.
func (w *workers) runJobs() (placeGiven bool) {
	for w.first < len(w.jobs) {
		j := w.next()
		if t, waits := j.(turn); waits {
			close(t)
			return true
		}
		w.mu.Unlock()
		w.run(j)
		w.mu.Lock()
	}
	return false
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
