package httpstack

import (
	"net/http"
	"sync/atomic"
	"time"
)

// A date is the value of the header Date during one second (RFC 9110 section 6.6.1).
type date struct {
	second int64 // Unix
	text   string
	values []string // text, as net/http stores it
}

// A dateClock returns the current date. It formats once per second instead of once per response.
// fasthttp has such a clock, too, but does not export it.
type dateClock struct {
	now     func() time.Time
	current atomic.Pointer[date] // nil before the first response
}

func (c *dateClock) date() *date {
	now := c.now()
	d := c.current.Load()
	if d == nil || d.second != now.Unix() {
		text := now.UTC().Format(http.TimeFormat)
		d = &date{second: now.Unix(), text: text, values: []string{text}}
		c.current.Store(d)
	}
	return d
}

// AppendDate appends the header line of the current date.
func (s *Stack) AppendDate(dst []byte) []byte { return appendDate(dst, s.clock.date()) }

func appendDate(dst []byte, d *date) []byte {
	return append(append(append(dst, "Date: "...), d.text...), "\r\n"...)
}

// dateLine is the size of that line in bytes, which is the same for every date.
const dateLine = len("Date: \r\n") + len(http.TimeFormat)

// A Poll is the response to a poll with a batch, which many connections receive.
type Poll struct {
	Body  []byte
	whole atomic.Pointer[dated]
}

// dated is a complete response, and its date.
type dated struct {
	date     *date
	response []byte
}

// WholePoll returns headers and body, for a connection that stays open. They are the same bytes for all
// polls of one second: the next second has another Date.
func (s *Stack) WholePoll(p *Poll) []byte {
	now := s.clock.date()
	if w := p.whole.Load(); w != nil && w.date.second == now.second {
		return w.response
	}
	r := Response{Status: http.StatusOK, Body: p.Body, NoStore: true}
	w := &dated{now, s.appendResponse(make([]byte, 0, len(p.Body)+pollHeader+s.ResponseHeaderBytes), r, now)}
	p.whole.Store(w)
	return w.response
}

// pollHeader is more than the headers of the response to a poll, without padding.
const pollHeader = 160
