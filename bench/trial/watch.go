package trial

// A Phase is a point in a trial at which Setup.Watch is called.
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
	Server    int // pid of the first replica's server
	Generator int // pid of the first replica's load generator
}

// notify calls Setup.Watch, if it is set.
func (t *Trial) notify(now Phase) {
	if t.Setup.Watch == nil {
		return
	}
	t.Setup.Watch(Running{
		Phase:     now,
		Transport: string(t.Measured.Transport),
		Attempt:   t.Attempt,
		Address:   t.replicas[0].probe.address,
		Server:    t.replicas[0].server.PID(),
		Generator: t.replicas[0].generator.PID(),
	})
}
