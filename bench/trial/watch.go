package trial

// A Moment is a point in a trial at which its Rig's Watch is called.
type Phase int

// The moments of a trial.
const (
	WindowOpened Phase = iota // the first message that counts is due
	Drained                   // all is measured, both processes still live
)

// An Underway is a trial at a Moment, for a callback that disturbs it on purpose, to test the
// instrument, or reads what only its server knows.
type Underway struct {
	Phase     Phase
	Transport string
	Attempt   int // attempts that came before
	Address   string
	Server    int // pid, as is the next: of the first replica
	Generator int
}

// watched calls the rig's Watch, if there is one.
func (t *Trial) watched(now Phase) {
	if t.Setup.Watch == nil {
		return
	}
	t.Setup.Watch(Underway{
		Phase:     now,
		Transport: string(t.Measured.Transport),
		Attempt:   t.Attempt,
		Address:   t.replicas[0].probe.address,
		Server:    t.replicas[0].server.PID(),
		Generator: t.replicas[0].generator.PID(),
	})
}
