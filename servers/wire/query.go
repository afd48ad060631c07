package wire

import (
	"net/url"
	"strings"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire/httpstack"
)

// A Subscribe is a validated subscription request.
type Subscribe struct {
	Set      *hub.TopicSet
	After    hub.Cursor
	FromNow  bool // no cursor was given: respond immediately with an ack
	Delivery hub.Delivery
	Wait     time.Duration // polls only
	Origin   string        // of another site's page that may read the response; "": none
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
	if e == sseEndpoint && r.LastEventID != "" { // a browser's EventSource adds it when it reconnects: it is the newer cursor
		q.after.value = r.LastEventID
	}
	sub, err := s.check(q, e)
	if err != nil {
		return nil, err
	}
	if r.Method == "HEAD" { // handled like GET, but never waits
		sub.Wait = 0
	}
	return sub, nil
}

// A query is a subscription's parameters, each given at most once except topic.
type query struct {
	topics                []string
	after, delivery, wait parameter
}

// A parameter is an optional parameter.
type parameter struct {
	value string
	given bool
}

// parseQuery parses a query strictly: only known names, only valid escapes.
func parseQuery(raw string) (*query, *Error) {
	q := &query{}
	for more := raw != ""; more; {
		var pair string
		pair, raw, more = strings.Cut(raw, "&")
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return nil, errBadQuery
		}
		value, ok := unescape(value)
		if !ok {
			return nil, errBadQuery
		}
		var p *parameter
		switch name {
		case "topic":
			q.topics = append(q.topics, value)
			continue
		case "after":
			p = &q.after
		case "delivery":
			p = &q.delivery
		case "wait":
			p = &q.wait
		default:
			return nil, errUnknownParameter
		}
		if p.given {
			return nil, errRepeatedParameter
		}
		*p = parameter{value, true}
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

// check converts parameters to a subscription.
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
	if q.delivery.given {
		d, known := deliveries[q.delivery.value]
		if !known {
			return nil, errBadDelivery
		}
		sub.Delivery = d
	}
	var err *Error
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

// checkTopics allows a WebSocket without topics, which can only publish.
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

var deliveries = map[string]hub.Delivery{"every": hub.Every, "latest": hub.Latest}

// parseWait reads the poll timeout; on a short-polling server polls do not wait.
func (s *Service) parseWait(q *query, e endpoint) (time.Duration, *Error) {
	if !q.wait.given {
		return 0, nil
	}
	if e != pollEndpoint {
		return 0, errUnknownParameter
	}
	longest := s.Limits.MaxPollTimeout
	if !s.transport.Holds {
		longest = 0
	}
	d, err := time.ParseDuration(q.wait.value)
	if err != nil || d < 0 || d > longest {
		return 0, errBadWait
	}
	return d, nil
}
