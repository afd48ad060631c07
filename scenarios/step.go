package scenarios

import "fmt"

// A RequestStep is a request that a client makes before it is subscribed. A get is repeated until its response
// matches; a post must match.
type RequestStep struct {
	Get     Template      `yaml:"get,omitempty" json:"get" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"`   // path of a GET
	Post    Template      `yaml:"post,omitempty" json:"post" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"` // path of a POST
	Headers []HeaderField `yaml:"headers,omitempty" json:"headers" items:"16" allowed:"header fields"`                                       // default none; of a POST: Content-Type: text/plain; charset=utf-8
	Body    Template      `yaml:"body,omitempty" json:"body"`                                                                                // of a POST; default none
	OK      []int         `yaml:"ok,omitempty" json:"ok" items:"8" min:"200" max:"299" allowed:"HTTP status codes, 200 … 299"`               // status codes of success; default 200 to 299
	Expect  Expression    `yaml:"expect,omitempty" json:"expect"`                                                                            // what the body must match; its named groups are values for later templates; default: anything
	Next    []NextValue   `yaml:"next,omitempty" json:"next" items:"8" repeats:"true" allowed:"of {header: …, as: …}"`                       // values of the response's header for later templates; default none
}

// A PollHeartbeat is a reply, by POST, to a record in the response to a poll. The next poll follows its response.
type PollHeartbeat struct {
	When    Expression    `yaml:"when" json:"when" required:"true"`                                                                                // records that request a reply
	Post    Template      `yaml:"post" json:"post" required:"true" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"` // path of the reply
	Headers []HeaderField `yaml:"headers,omitempty" json:"headers" items:"16" allowed:"header fields"`                                             // default Content-Type: text/plain; charset=utf-8
	Body    Template      `yaml:"body,omitempty" json:"body"`                                                                                      // of the reply; default none
}

// validate checks a step, and adds what it captures to the known names.
func (r RequestStep) validate(field string, known *[]string) *conflict {
	switch {
	case (r.Get == "") == (r.Post == ""):
		return &conflict{field: field, message: "is not one request; allowed: get or post"}
	case r.Get != "" && r.Body != "":
		return &conflict{field: field + ".body", message: "is given with get; allowed: together with post"}
	}
	checks := append([]textCheck{{field + ".get", r.Get}, {field + ".post", r.Post}, {field + ".body", r.Body}}, inFields(field+".headers", r.Headers)...)
	if c := unknownIn(checks, *known); c != nil {
		return c
	}
	for i, n := range r.Next {
		here := fmt.Sprintf("%s.next[%d]", field, i)
		if n.Header == "" || n.First != "" {
			return &conflict{field: here, message: "is not a header field of a response; allowed: header and as; expect captures from the body"}
		}
		if c := n.validate(here); c != nil {
			return c
		}
		*known = append(*known, n.names()...)
	}
	*known = append(*known, r.Expect.Groups()...)
	return nil
}

// A textCheck is a template, and the field in which it stands.
type textCheck struct {
	field string
	text  Template
}

func inFields(field string, headers []HeaderField) (all []textCheck) {
	for i, h := range headers {
		all = append(all, textCheck{fmt.Sprintf("%s[%d]", field, i), h.Value()})
	}
	return all
}

// unknownIn returns the conflict of the first template with a name that has no value there.
func unknownIn(all []textCheck, known []string) *conflict {
	for _, one := range all {
		if name, unknown := one.text.unknownName(known); unknown {
			return unknownPlaceholder(one.field, name, known)
		}
	}
	return nil
}

// DescribeStep describes what a client waits for in a step over a transport, counted from 1; "" without one.
func (t *Target) DescribeStep(transport Transport, n int) string {
	requests, _ := t.Transports.requests(transport)
	switch socket := t.Transports.WebSocket.Steps; {
	case n < 1:
		return ""
	case transport == "websocket" && n <= len(socket):
		return fmt.Sprintf("step %d waits for a record that matches %s", n, socket[n-1].Expect)
	case n > len(requests):
		return ""
	}
	r := requests[n-1]
	text := fmt.Sprintf("step %d is GET %s", n, r.Get)
	if r.Post != "" {
		text = fmt.Sprintf("step %d is POST %s", n, r.Post)
	}
	if r.Expect != "" {
		text += fmt.Sprintf(", whose response must match %s", r.Expect)
	}
	return text
}
