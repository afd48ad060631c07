package wire

import (
	"net/url"
	"strings"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire/httpstack"
)

// A Subscribe is a subscription as asked for, checked.
type Subscribe struct {
	Set      *hub.TopicSet
	After    hub.Cursor
	FromNow  bool // no cursor was given: answer at once with an ack
	Delivery hub.Delivery
	Wait     time.Duration // polls only
}

// subscribe reads a subscription request.
func (s *Service) subscribe(r *httpstack.Request, e endpoint) (*Subscribe, *Error) {
	if e == pollEndpoint && r.Method != "GET" && r.Method != "HEAD" {
		return nil, errMethod("GET, HEAD")
	}
	if e != pollEndpoint && e != webhookEndpoint && r.Method != "GET" {
		return nil, errMethod("GET")
	}
	q, err := parseQuery(r.Query)
	if err != nil {
		return nil, err
	}
	if err := q.adoptLastEventID(r.LastEventID, e); err != nil {
		return nil, err
	}
	sub, err := s.check(q, e)
	if err != nil {
		return nil, err
	}
	if r.Method == "HEAD" { // answered like GET, but it never holds
		sub.Wait = 0
	}
	return sub, nil
}

// A query is a subscription's parameters, each given at most once but topic.
type query struct {
	topics                []string
	after, delivery, wait parameter
}

// A parameter is one that may be left out.
type parameter struct {
	value string
	given bool
}

// parseQuery splits a query strictly: only known names, only valid escapes.
func parseQuery(raw string) (*query, *Error) {
	q := &query{}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return nil, errBadQuery
		}
		value, ok := unescape(value)
		if !ok {
			return nil, errBadQuery
		}
		if err := q.set(name, value); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func unescape(value string) (string, bool) {
	if strings.IndexByte(value, '%') < 0 && strings.IndexByte(value, '+') < 0 {
		return value, true
	}
	value, err := url.QueryUnescape(value)
	return value, err == nil
}

func (q *query) set(name, value string) *Error {
	if name == "topic" {
		q.topics = append(q.topics, value)
		return nil
	}
	p := q.parameter(name)
	switch {
	case p == nil:
		return errUnknownParameter
	case p.given:
		return errRepeatedParameter
	}
	*p = parameter{value, true}
	return nil
}

// parameter is the one of that name, nil if there is none.
func (q *query) parameter(name string) *parameter {
	switch name {
	case "after":
		return &q.after
	case "delivery":
		return &q.delivery
	case "wait":
		return &q.wait
	}
	return nil
}

// adoptLastEventID takes the cursor that a browser's EventSource sends by itself.
func (q *query) adoptLastEventID(id string, e endpoint) *Error {
	if id == "" || e != sseEndpoint {
		return nil
	}
	if q.after.given {
		return errTwoCursors
	}
	q.after.value = id
	return nil
}

// check turns parameters into a subscription.
func (s *Service) check(q *query, e endpoint) (*Subscribe, *Error) {
	sub := &Subscribe{FromNow: q.after.value == ""}
	if err := s.checkTopics(q.topics, e); err != nil {
		return nil, err
	}
	if !sub.FromNow {
		c, err := hub.ParseCursor(q.after.value)
		if err != nil {
			return nil, errBadCursor
		}
		if c.Epoch == s.Hub.Epoch() && c.Number > s.Hub.Published() {
			return nil, errCursorAhead
		}
		sub.After = c
	}
	var err *Error
	if sub.Delivery, err = parseDelivery(q); err != nil {
		return nil, err
	}
	if sub.Wait, err = s.parseWait(q, e); err != nil {
		return nil, err
	}
	set, full := s.Hub.Set(q.topics)
	if full != nil {
		return nil, errHubFull
	}
	sub.Set = set
	return sub, nil
}

// checkTopics allows a socket to have none: it may only publish.
func (s *Service) checkTopics(topics []string, e endpoint) *Error {
	if len(topics) == 0 && e != upgradeEndpoint {
		return errMissingTopic
	}
	if len(topics) > s.Limits.MaxTopics {
		return errTooManyTopics
	}
	for _, t := range topics {
		if !hub.ValidTopic(t) {
			return errBadTopic
		}
	}
	if len(topics) <= 1 {
		return nil
	}
	seen := make(map[string]bool, len(topics))
	for _, t := range topics {
		if seen[t] {
			return errRepeatedTopic
		}
		seen[t] = true
	}
	return nil
}

func parseDelivery(q *query) (hub.Delivery, *Error) {
	switch {
	case !q.delivery.given, q.delivery.value == "every":
		return hub.Every, nil
	case q.delivery.value == "latest":
		return hub.Latest, nil
	}
	return 0, errBadDelivery
}

// parseWait reads the hold a poll asks for; a short-polling server holds nothing.
func (s *Service) parseWait(q *query, e endpoint) (time.Duration, *Error) {
	if !q.wait.given {
		return 0, nil
	}
	if e != pollEndpoint {
		return 0, errUnknownParameter
	}
	longest := s.Limits.Hold
	if s.transport == "shortpoll" {
		longest = 0
	}
	d, err := time.ParseDuration(q.wait.value)
	if err != nil || d < 0 || d > longest {
		return 0, errBadWait
	}
	return d, nil
}
