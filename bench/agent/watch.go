package agent

// A Phase is a point in a trial at which Machine.Watch is called.
type Phase int

// The phases of a trial.
const (
	WindowOpened Phase = iota // the first message that counts is due
	Drained                   // everything is measured, the processes still run
)

// A Running is a trial in progress, for a callback that disturbs it on purpose, to test the
// benchmark itself, or that reads data which only the server has.
type Running struct {
	Phase     Phase
	Transport string
	Attempt   int // attempts before this one
	Address   string
	Server    int // pid of the first server
	Generator int // pid of the first load generator
}

// notify calls Machine.Watch, if it is set and the trial has both roles here.
func (l *Local) notify(now Phase) {
	p := l.part
	if l.Watch == nil || len(p.servers) == 0 || len(p.generators) == 0 {
		return
	}
	l.Watch(Running{
		Phase:     now,
		Transport: string(p.job.Measured.Transport),
		Attempt:   p.job.Attempt,
		Address:   p.servers[0].info.Address,
		Server:    p.servers[0].process.PID(),
		Generator: p.generators[0].process.PID(),
	})
}
