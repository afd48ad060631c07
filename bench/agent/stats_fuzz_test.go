package agent

import "testing"

// Any response to /v1/stats is refused, or has settings.
func FuzzReadStats(f *testing.F) {
	for _, seed := range []string{`{"library":"nethttp","requests":{"total":3},"limits":{"max_poll_timeout_ns":7}}`, `{"stack":"x","rearm":{"count":-1}}`, `{"limits":{"a":{"b":[1,{}]}}}`, `[]`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if s, err := readStats(body); err == nil && s.settings == nil {
			t.Errorf("no settings of %q", body)
		}
	})
}
