package trial

// A Moment is a point in a trial at which its Rig's Watch is called.
type Moment int

// The moments of a trial.
const (
	WindowOpened Moment = iota // the first message that counts is due
	Drained                    // all is measured, both processes still live
)

// An Underway is a trial at a Moment, for a callback that disturbs it on purpose, to test the
// instrument, or reads what only its server knows.
type Underway struct {
	Moment    Moment
	Transport string
	Again     int // attempts that came before
	Address   string
	Server    int // pid, as is the next: of the first replica
	Generator int
}

// watched calls the rig's Watch, if there is one.
func (t *Trial) watched(now Moment) {
	if t.Rig.Watch == nil {
		return
	}
	t.Rig.Watch(Underway{
		Moment:    now,
		Transport: string(t.Measured.Transport),
		Again:     t.Again,
		Address:   t.replicas[0].probe.address,
		Server:    t.replicas[0].server.PID(),
		Generator: t.replicas[0].generator.PID(),
	})
}
