package webhook

import (
	"net/http"
	"net/netip"
	"testing"
)

// FuzzHookURL checks that requests to an accepted URL go to an allowed address.
func FuzzHookURL(f *testing.F) {
	for _, seed := range []string{"http://127.0.0.1:8080/hook", "http://[::ffff:127.0.0.1]:1/", "http://[::1%25lo]:1/", "http://127.0.0.1:80@10.0.0.1:80/", "http://localhost:1/", "http://127.0.0.1:0/", "https://127.0.0.1:1/"} {
		f.Add(seed)
	}
	h := &Hooks{allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	f.Fuzz(func(t *testing.T, url string) {
		if h.check(url) != nil {
			return
		}
		r, err := http.NewRequest(http.MethodPost, url, http.NoBody)
		if err != nil {
			t.Fatalf("%q is accepted, but no request can be made: %v", url, err)
		}
		if to, err := netip.ParseAddrPort(r.URL.Host); err != nil || r.Host != r.URL.Host || !to.Addr().Unmap().IsLoopback() || len(url) > maxURL {
			t.Errorf("%q: requests go to %q, %v", url, r.URL.Host, err)
		}
	})
}
