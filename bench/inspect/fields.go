package inspect

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A known field has a purpose and a syntax.
type known struct {
	purpose string
	check   check // nil: every value is allowed
}

// common explains header fields of any response, by name in lower case.
var common = map[string]known{
	"access-control-allow-headers":     {"header fields that pages of other origins may send (Fetch Standard, section 3.2)", checkList("Access-Control-Allow-Headers", token)},
	"access-control-allow-methods":     {"methods that pages of other origins may use (Fetch Standard, section 3.2)", checkList("Access-Control-Allow-Methods", token)},
	"access-control-allow-origin":      {"origins whose pages may read the response; browsers do not apply this to a WebSocket (Fetch Standard, section 3.2)", checkAllowedOrigin},
	"access-control-allow-credentials": {"permits such pages to send cookies (Fetch Standard, section 3.2)", checkSyntax(regexp.MustCompile("^true$"), "true, in small letters (Fetch Standard, section 3.2.3)")},
	"access-control-expose-headers":    {"header fields that such pages may read (Fetch Standard, section 3.2)", checkList("Access-Control-Expose-Headers", token)},
	"access-control-max-age":           {"time for which browsers may cache these permissions (Fetch Standard, section 3.2)", checkSyntax(digits, "a number of seconds (Fetch Standard, section 3.2.3)")},
	"age":                              {"time in a cache: this response does not come from the server itself (RFC 9111, section 5.1)", checkSyntax(digits, "a number of seconds (RFC 9111, section 5.1)")},
	"allow":                            {"methods that the resource supports (RFC 9110, section 10.2.1)", checkList("Allow", token)},
	"alt-svc":                          {"alternative services for the same resource, such as HTTP/3 (RFC 7838)", nil},
	"cache-control":                    {"caches that may store the response, and for how long (RFC 9111, section 5.2)", checkList("Cache-Control", anyItem)},
	"connection":                       {"options for this connection only, or its end after this response (RFC 9110, section 7.6.1)", checkList("Connection", token)},
	"content-encoding":                 {"compression of the body (RFC 9110, section 8.4)", checkContentCoding},
	"content-length":                   {"length of the body (RFC 9112, section 6.2)", checkLength},
	"content-type":                     {"media type of the body (RFC 9110, section 8.3)", checkMediaType},
	"date":                             {"time of the response, in whole seconds (RFC 9110, section 6.6.1)", checkDate("RFC 9110, section 5.6.7", Wrong)},
	"etag":                             {"identifier of this version of the resource, for conditional requests (RFC 9110, section 8.8.3)", checkSyntax(entityTag, "an opaque text in quotes (RFC 9110, section 8.8.3)")},
	"expires":                          {"time until which caches may reuse the response (RFC 9111, section 5.3)", checkDate("RFC 9111, section 5.3: recipients take it as expired", Contestable)},
	"keep-alive":                       {"time for which the connection may stay idle between two requests (RFC 2068, section 19.7.1.1)", nil},
	"last-modified":                    {"time of the last change of the resource (RFC 9110, section 8.8.2)", checkLastModified},
	"location":                         {"URL of a redirect (RFC 9110, section 10.2.2)", checkSyntax(reference, "a URL, in which other characters are percent-encoded (RFC 9110, section 10.2.2; RFC 3986, section 2)")},
	"pragma":                           {"replaces Cache-Control for HTTP/1.0 (RFC 9111, section 5.4)", nil},
	"retry-after":                      {"time until the next request may be sent (RFC 9110, section 10.2.3)", checkRetryAfter},
	"server":                           {"software of the server (RFC 9110, section 10.2.4)", nil},
	"set-cookie":                       {"cookie that the browser adds to every later request, including each poll (RFC 6265, section 4.1)", nil},
	"strict-transport-security":        {"requires browsers to use TLS from now on (RFC 6797)", nil},
	"transfer-encoding":                {"encoding of the body for transfer (RFC 9112, section 6.1)", checkCoding},
	"upgrade":                          {"protocols to which the server can switch (RFC 9110, section 7.8)", checkUpgrade},
	"vary":                             {"request fields on which the response depends (RFC 9110, section 12.5.5)", checkList("Vary", token)},
	"via":                              {"proxies that forwarded the response (RFC 9110, section 7.6.3)", nil},
	"x-accel-buffering":                {"instructs nginx not to buffer the response", nil},
	"x-content-type-options":           {"forbids browsers to guess the media type (Fetch Standard, section 3.6)", nil},
}

var (
	entityTag = regexp.MustCompile(`^(W/)?"[^" \x00-\x20\x7f]*"$`)
	reference = regexp.MustCompile(`^[!#-;=?-\[\]_a-z~]*$`)
	typeName  = regexp.MustCompile("^" + tokenSyntax + "/" + tokenSyntax + "(?:[ \t]*;[ \t]*(?:" + tokenSyntax + "=(?:" + valueSyntax + "))?)*$")
	typeValue = regexp.MustCompile(";[ \t]*(" + tokenSyntax + ")=(" + valueSyntax + ")")
)

// A value of a parameter is a token or a quoted string (RFC 9110, sections 5.6.2 and 5.6.4).
const (
	tokenSyntax = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
	valueSyntax = tokenSyntax + `|"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"`
)

// checkSyntax checks a value by its syntax.
func checkSyntax(right *regexp.Regexp, want string) check {
	return func(value string, _ header) (Grade, string) {
		if !right.MatchString(value) {
			return Wrong, "must be " + want
		}
		return Plain, ""
	}
}

// isDate reports whether a value is a date in the form that may be sent (RFC 9110, section 5.6.7).
// Second 60 is a leap second, which package time does not know.
func isDate(value string) bool {
	value = strings.Replace(value, ":60 GMT", ":59 GMT", 1)
	t, err := time.Parse(http.TimeFormat, value)
	return err == nil && t.Format(http.TimeFormat) == value
}

func checkDate(clause string, otherwise Grade) check {
	return func(value string, _ header) (Grade, string) {
		if !isDate(value) {
			return otherwise, "not a date such as Sun, 06 Nov 1994 08:49:37 GMT (" + clause + ")"
		}
		return Plain, ""
	}
}

func checkLastModified(value string, h header) (Grade, string) {
	changed, _ := time.Parse(http.TimeFormat, value)
	sent, err := time.Parse(http.TimeFormat, h.value("Date"))
	if err == nil && changed.After(sent) {
		return Wrong, "must not be later than Date (RFC 9110, section 8.8.2.1)"
	}
	return checkDate("RFC 9110, section 5.6.7", Wrong)(value, h)
}

func checkContentCoding(value string, h header) (Grade, string) {
	if has(value, "identity") {
		return Contestable, "identity is reserved for Accept-Encoding and should not be sent (RFC 9110, section 8.4)"
	}
	return checkList("Content-Encoding", token)(value, h)
}

func checkRetryAfter(value string, _ header) (Grade, string) {
	if !isDate(value) && !digits.MatchString(value) {
		return Wrong, "must be a number of seconds or a date (RFC 9110, section 10.2.3)"
	}
	return Plain, ""
}

func checkMediaType(value string, _ header) (Grade, string) {
	if !typeName.MatchString(value) {
		return Wrong, "must be TYPE/SUBTYPE, perhaps with parameters (RFC 9110, section 8.3.1)"
	}
	return Plain, ""
}

// checkUpgrade checks the protocols that a response without a switch offers.
func checkUpgrade(_ string, h header) (Grade, string) {
	if !has(h.value("Connection"), "upgrade") {
		return Wrong, `requires "upgrade" in Connection, which limits it to the next hop (RFC 9110, section 7.8)`
	}
	return Plain, ""
}

// checkAllowedOrigin checks the only form that lets pages of other origins read a response.
func checkAllowedOrigin(value string, _ header) (Grade, string) {
	if value != "*" && !origin.MatchString(value) {
		return Wrong, "must be *, null or one origin without a path (Fetch Standard, section 3.2.3)"
	}
	return Plain, ""
}

// anyItem is the syntax of the elements of a list that are no tokens.
var anyItem = regexp.MustCompile("")

// checkList checks the lines of a comma-separated list, each of which may be empty as a whole, and its elements.
func checkList(name string, item *regexp.Regexp) check {
	return func(_ string, h header) (Grade, string) {
		for _, line := range h.values(name) {
			switch {
			case line == "":
			case hasEmpty(line):
				return Wrong, emptyElement
			case item != anyItem && slices.ContainsFunc(strings.Split(line, ","), func(one string) bool { return !item.MatchString(trimOWS(one)) }):
				return Wrong, "must be a list of names, separated by commas (RFC 9110, section 5.6.1)"
			}
		}
		return Plain, ""
	}
}

const emptyElement = "a list must not have empty elements (RFC 9110, section 5.6.1.1)"
