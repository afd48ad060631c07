package fleet

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"pushbench/bench/agent"
	"pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/scenarios"
)

// Subjects. The public key of the run is part of each: several runs may share a broker.
func helloSubject(run string) string            { return "pushbench." + run + ".hello" }
func coordinatorSubject(run string) string      { return "pushbench." + run + ".coordinator" }
func toSubject(run, agentAndStep string) string { return "pushbench." + run + ".to." + agentAndStep }
func fromSubject(run, agent string) string      { return "pushbench." + run + ".from." + agent }

// Headers.
const (
	sequenceHeader  = "Sequence"  // of a message of the coordinator: greater than that of the one before
	signatureHeader = "Signature" // of a message of the coordinator
	pieceHeader     = "Piece"     // of a response: its index, from 0
	piecesHeader    = "Pieces"    // of a response: their number
)

// A hello is what an agent sends until it is admitted.
type hello struct {
	Agent string       `json:"agent"` // distinguishes agents of one name
	Name  string       `json:"name"`
	Tool  results.Tool `json:"tool"`
	Facts agent.Facts  `json:"facts"`
}

// A welcome is the response to a hello.
type welcome struct {
	Admitted bool   `json:"admitted,omitempty"`
	Refused  string `json:"refused,omitempty"` // why the run does not take the agent
}

// A beat is a sign of life of an agent, and its progress.
type beat struct {
	Step      string `json:"step,omitempty"` // in progress; empty: none
	Delivered int64  `json:"delivered,omitempty"`
}

// Steps of an agent. Each has the name of its method of agent.Agent, except those that are answered during another one.
const (
	stepClock  = "Clock"
	stepStop   = "Stop"
	stepCancel = "Cancel"
	stepLeave  = "Leave"
)

// A request is the input of a step. Each step reads its own fields.
type request struct {
	Job      *job                `json:"job,omitempty"`
	Clients  agent.IdleClients   `json:"clients,omitzero"`
	Duration time.Duration       `json:"duration_ns,omitempty"`
	Prepare  []generator.Prepare `json:"prepare,omitempty"`
	Window   agent.Window        `json:"window,omitzero"`
	Dials    []int64             `json:"dials,omitempty"`
	Shares   bool                `json:"shares,omitempty"` // another agent of the run has the lock of the machine
}

// A job is an agent.Job without pointers into the coordinator's memory. The files of targets are not part of it: an agent
// has its own, because they contain commands.
type job struct {
	Scenario   string                  `json:"scenario"`
	Measured   scenarios.Configuration `json:"measured"`
	Engine     string                  `json:"engine"`
	Inject     string                  `json:"inject,omitempty"`
	Attempt    int                     `json:"attempt"`
	HostLimits generator.Limits        `json:"host_limits"`
}

// A response is the output of a step. Each step sets its own fields.
type response struct {
	Failed string `json:"failed,omitempty"`

	Text      string              `json:"text,omitempty"`
	Number    float64             `json:"number,omitempty"`
	Memory    int64               `json:"memory,omitempty"`
	Facts     *agent.Facts        `json:"facts,omitempty"`
	Found     []host.Diagnosis    `json:"found,omitempty"`
	IdleProbe *results.IdleMemory `json:"idle_probe,omitempty"`
	Started   *agent.Started      `json:"started,omitempty"`
	Used      *agent.Used         `json:"used,omitempty"`
	Connected []results.Connect   `json:"connected,omitempty"`
	Idle      *agent.Idle         `json:"idle,omitempty"`
	Measured  *agent.Measured     `json:"measured,omitempty"`
	Intervals []results.Interval  `json:"intervals,omitempty"`
	Audit     *agent.Audit        `json:"audit,omitempty"`
	Ended     *agent.Ended        `json:"ended,omitempty" walk:"-"` // the difference of two clocks may be negative

	Bytes int64 `json:"bytes,omitempty"` // of messages sent and received during the step

	Received, Sent clock.Instant // of stepClock
}

// pieceSize is the size of a piece of a response: below the smallest usual limit of a NATS server, with room for headers.
const pieceSize = 512 << 10

// mostPieces bounds the memory that a response takes.
const mostPieces = 512

// respond sends a response in pieces.
func respond(c *nats.Conn, to string, r response) error {
	encoded, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a response: %w", err)
	}
	pieces := (len(encoded) + pieceSize - 1) / pieceSize
	if pieces > mostPieces {
		return respond(c, to, response{Failed: fmt.Sprintf("the response has %d bytes, allowed: %d", len(encoded), mostPieces*pieceSize)})
	}
	for i := range pieces {
		m := nats.NewMsg(to)
		m.Header.Set(pieceHeader, strconv.Itoa(i))
		m.Header.Set(piecesHeader, strconv.Itoa(pieces))
		m.Data = encoded[i*pieceSize : min(len(encoded), (i+1)*pieceSize)]
		if err := c.PublishMsg(m); err != nil {
			return fmt.Errorf("send a response: %w", err)
		}
	}
	return nil
}

// An assembly puts the pieces of a response together. NATS keeps the order of one sender, but loses what it has when a server
// ends: a response that lacks a piece is sent again as a whole.
type assembly struct {
	data []byte
	next int // index of the next piece
}

var errPieces = errors.New("a piece of a response is missing")

// add adds a piece and returns the response with the last one.
func (a *assembly) add(m *nats.Msg) (*response, error) {
	i, err := strconv.Atoi(m.Header.Get(pieceHeader))
	if err != nil {
		return nil, errPieces
	}
	n, err := strconv.Atoi(m.Header.Get(piecesHeader))
	if err != nil || i < 0 || n <= i || n > mostPieces {
		return nil, errPieces
	}
	if i == 0 {
		a.data, a.next = nil, 0
	}
	if i != a.next {
		return nil, nil
	}
	a.data = append(a.data, m.Data...)
	if a.next++; a.next < n {
		return nil, nil
	}
	var r response
	if err := decode(a.data, &r); err != nil {
		return nil, fmt.Errorf("read a response: %w", err)
	}
	return &r, nil
}

// decode reads the JSON of the same build. What it does not know is an error.
func decode(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it has more than one value")
	}
	return nil
}

// signed returns a message of the coordinator.
func (k *Key) signed(subject string, sequence uint64, data []byte) (*nats.Msg, error) {
	m := nats.NewMsg(subject)
	m.Data = data
	m.Header.Set(sequenceHeader, strconv.FormatUint(sequence, 10))
	signature, err := k.pair.Sign(signedBytes(m))
	if err != nil {
		return nil, fmt.Errorf("sign a message: %w", err)
	}
	m.Header.Set(signatureHeader, base64.StdEncoding.EncodeToString(signature))
	return m, nil
}

// signedBytes is what the signature of a message covers.
func signedBytes(m *nats.Msg) []byte {
	return append([]byte(m.Subject+"\n"+m.Header.Get(sequenceHeader)+"\n"), m.Data...)
}

// A verifier accepts the messages of a run's coordinator, each once.
type verifier struct {
	key  nkeys.KeyPair
	last uint64
}

func newVerifier(run string) (*verifier, error) {
	key, err := nkeys.FromPublicKey(run)
	if err != nil {
		return nil, ErrJoin
	}
	return &verifier{key: key}, nil
}

// verify returns an error unless the message is new and signed.
func (v *verifier) verify(m *nats.Msg) error {
	sequence, err := strconv.ParseUint(m.Header.Get(sequenceHeader), 10, 64)
	if err != nil || sequence <= v.last {
		return errSignature
	}
	signature, err := base64.StdEncoding.DecodeString(m.Header.Get(signatureHeader))
	if err != nil || v.key.Verify(signedBytes(m), signature) != nil {
		return errSignature
	}
	v.last = sequence
	return nil
}

// step is the last part of a subject.
func step(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// encodeJob returns a job for another machine.
func encodeJob(j agent.Job) *job {
	return &job{Scenario: string(j.Scenario.YAML()), Measured: j.Measured, Engine: j.Engine, Inject: j.Inject, Attempt: j.Attempt, HostLimits: j.HostLimits}
}

// decode returns the job of another machine.
func (j *job) decode() (agent.Job, error) {
	if j == nil {
		return agent.Job{}, errors.New("the request has no job")
	}
	s, err := scenarios.Read("scenario of the coordinator", strings.NewReader(j.Scenario))
	if err != nil {
		return agent.Job{}, err
	}
	if c := j.Measured; c.Target != "" && c.Target != scenarios.ReferenceTarget {
		return agent.Job{}, fmt.Errorf("the agent has no target %s: agents measure the servers of pushbench only", c.Target)
	}
	return agent.Job{Scenario: s, Measured: j.Measured, Engine: j.Engine, Inject: j.Inject, Attempt: j.Attempt, HostLimits: j.HostLimits}, nil
}

// sleep waits, or until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
