package target

import (
	"bytes"
	"strconv"
	"strings"

	"pushbench/scenarios"
)

// loginName is the placeholder of a client's login.
const loginName = "login"

// leastSecret is the fewest bytes of a value that is hidden: a shorter one is no secret, and would hide other text.
const leastSecret = 4

// Secrets are texts that no output may show.
type Secrets struct{ values []string }

// SecretsOf returns the values of all environment variables that a target file names, and the logins of its clients.
func SecretsOf(t *scenarios.Target, env func(string) (string, bool)) (s Secrets) {
	add := func(value string) {
		if len(value) >= leastSecret {
			s.values = append(s.values, value)
		}
	}
	for _, name := range scenarios.Template(t.Source).Names() {
		if variable, fromEnv := strings.CutPrefix(name, "env:"); fromEnv {
			value, _ := env(variable)
			add(value)
		}
	}
	for _, login := range t.Logins {
		add(login)
	}
	return s
}

// Longest is the most bytes in which a secret can be written: JSON can take six for each of them.
func (s Secrets) Longest() (most int) {
	for _, secret := range s.values {
		most = max(most, len(`\u0000`)*len(secret))
	}
	return most
}

// Mask returns a copy of what was sent, received or written, in which asterisks replace the secrets: as they are,
// percent-encoded (RFC 3986), and with the escapes of JSON (RFC 8259).
func (s Secrets) Mask(data []byte) []byte {
	masked := bytes.Clone(data)
	s.mask(masked, data, nil)
	for _, one := range []struct {
		begins byte
		decode func([]byte) (byte, int)
	}{{'%', percentDecoded}, {'\\', unescaped}} {
		if bytes.IndexByte(data, one.begins) >= 0 {
			text, from := decoded(data, one.begins, one.decode)
			s.mask(masked, text, from)
		}
	}
	return masked
}

// mask replaces the secrets in a text, whose bytes begin in masked at from; nil: where they are.
func (s Secrets) mask(masked, text []byte, from []int) {
	for _, secret := range s.values {
		for at := 0; ; at += len(secret) {
			next := bytes.Index(text[at:], []byte(secret))
			if next < 0 {
				break
			}
			at += next
			begin, end := at, at+len(secret)
			if from != nil {
				begin, end = from[begin], from[end]
			}
			for i := begin; i < end; i++ {
				masked[i] = '*'
			}
		}
	}
}

// decoded returns data without one kind of escapes, and where each of its bytes begins in data, and where data ends.
func decoded(data []byte, begins byte, decode func([]byte) (byte, int)) (text []byte, from []int) {
	for at := 0; at < len(data); {
		c, n := data[at], 1
		if c == begins {
			if one, size := decode(data[at+1:]); size > 0 {
				c, n = one, 1+size
			}
		}
		text, from = append(text, c), append(from, at)
		at += n
	}
	return text, append(from, len(data))
}

// percentDecoded decodes the n digits behind a percent sign; n is 0 if they are none.
func percentDecoded(rest []byte) (c byte, n int) { return hexadecimal(rest, 0, 2) }

// hexadecimal decodes the digits from skip up to n.
func hexadecimal(rest []byte, skip, n int) (byte, int) {
	if len(rest) < n {
		return 0, 0
	}
	c, err := strconv.ParseUint(string(rest[skip:n]), 16, 8) // secrets are ASCII, or the same bytes in JSON
	if err != nil {
		return 0, 0
	}
	return byte(c), n
}

// unescaped decodes the n bytes behind a backslash; n is 0 if they are no escape.
func unescaped(rest []byte) (c byte, n int) {
	switch {
	case len(rest) == 0:
		return 0, 0
	case rest[0] == 'u':
		return hexadecimal(rest, 1, len("u0000"))
	}
	if i := strings.IndexByte(`"\/bfnrt`, rest[0]); i >= 0 {
		return "\"\\/\b\f\n\r\t"[i], 1
	}
	return 0, 0
}
