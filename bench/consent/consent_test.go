package consent

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbench/scenarios"
)

// at is a target whose server is running at a url.
func at(url string) *scenarios.Target { return &scenarios.Target{Name: "far", URL: url} }

// user gives the test a user of its own.
func user(t *testing.T) (folder string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	folder, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "pushbench")
}

func token(t *testing.T, host string) string {
	t.Helper()
	text, err := Token(host)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestThisMachineNeedsNoConsent(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, url := range []string{s.URL, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port} {
		if got, err := Admit(t.Context(), at(url), nil); err != nil || got != "127.0.0.1:"+port {
			t.Errorf("%s: got %q, %v", url, got, err)
		}
	}
}

func TestAClosedPortIsRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = Admit(t.Context(), at("http://"+l.Addr().String()), nil)
	if err == nil || !strings.Contains(err.Error(), "url: "+l.Addr().String()+" accepts no connection: ") || !strings.Contains(err.Error(), "; start the server") {
		t.Error(err)
	}
}

// Another host is not reached, nor looked up, before the user allows exactly it.
func TestAnotherHostNeedsTheUsersConsent(t *testing.T) {
	user(t)
	for _, allowed := range [][]string{nil, {"*"}, {"example.invalid"}, {"other.example.invalid."}, {"OTHER.example.invalid"}} {
		_, err := Admit(t.Context(), at("http://other.example.invalid:8080"), allowed)
		want := "url: other.example.invalid is another host; if its owner agrees, add --allow-host other.example.invalid and let GET /.well-known/pushbench return the token " + token(t, "other.example.invalid")
		if err == nil || err.Error() != want {
			t.Errorf("%v: got %v\nwant %s", allowed, err, want)
		}
	}
	_, err := Admit(t.Context(), at("http://other.example.invalid:8080"), []string{"other.example.invalid"})
	if err == nil || !strings.Contains(err.Error(), "the address of other.example.invalid cannot be looked up") {
		t.Error(err)
	}
}

// The host's consent is the user's token and nothing else.
func TestAnotherHostMustReturnTheToken(t *testing.T) {
	user(t)
	mine := token(t, "far.example")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // "": it is consent
	}{
		"the token":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(mine)) }, ""},
		"among others":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("abc\r\n" + mine + "\r\n")) }, ""},
		"another's":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(token(t, "near.example"))) }, "returned 64 bytes without the token"},
		"within a line": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x" + mine)) }, "returned 65 bytes without the token"},
		"not found":     {http.NotFound, "returned status 404"},
		"error with it": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = w.Write([]byte(mine)) }, "returned status 500"},
		"behind too much": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat("\n", 1<<20) + mine))
		}, "returned 4096 bytes without the token"},
		"large header": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, "failed: "},
		"redirect":     {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, "returned status 302"},
	} {
		asked := ""
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Host + r.URL.Path
			if len(r.Header["Authorization"]) > 0 {
				t.Error("a credential was sent")
			}
			c.answer(w, r)
		}))
		far := at("http://far.example:8080")
		far.Login = []scenarios.HeaderField{"Authorization: Bearer x"}
		err := ask(t.Context(), far, s.Listener.Addr().String())
		s.Close()
		if asked != "far.example:8080/.well-known/pushbench" {
			t.Errorf("%s: requested %s", name, asked)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), "far.example:8080 does not allow load: GET /.well-known/pushbench "+c.want) || !strings.HasSuffix(err.Error(), "the token "+mine+" on a line of the body")) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// A client reaches the checked address only: a URL, a redirect or a proxy changes nothing.
func TestClientsReachOneAddress(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://other.example.invalid/", http.StatusFound)
	}))
	defer s.Close()
	t.Setenv("HTTP_PROXY", "http://proxy.example.invalid:3128")
	response, err := Client(s.Listener.Addr().String(), nil).Get("http://far.example.invalid:1/")
	if err != nil || response.StatusCode != http.StatusFound {
		t.Fatal(response, err)
	}
	response.Body.Close()
}

func TestTokensAreStableAndOfOneHost(t *testing.T) {
	folder := user(t)
	first := token(t, "a")
	if len(first) != 64 || token(t, "a") != first || token(t, "b") == first {
		t.Errorf("got %s, %s, %s", first, token(t, "a"), token(t, "b"))
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	path := filepath.Join(folder, files[0].Name())
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	user(t) // another one
	if token(t, "a") == first {
		t.Error("two users have the same token")
	}
}

func TestAnUnsafeSecretIsRefused(t *testing.T) {
	folder := user(t)
	token(t, "a")
	path := filepath.Join(folder, "secret")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Token("a"); err == nil || err.Error() != "the secret of this user: "+path+" has the mode 0644; allowed: 0600" {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Token("a"); err == nil || !strings.Contains(err.Error(), "is not a secret of 64 hex digits; delete it") {
		t.Error(err)
	}
}

// A certificate is checked before the run: against the authorities of the file, and for the host of the url.
func TestTLSIsChecked(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
	s.StartTLS()
	defer s.Close()
	authorities := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, c := range []struct {
		url         string
		authorities []byte
		want        string // "": no error
	}{
		{s.URL, authorities, ""},
		{s.URL, nil, "certificate signed by unknown authority"},
		{"https://localhost:" + port, authorities, ", not localhost"},
	} {
		secured := at(c.url)
		secured.Authorities = c.authorities
		_, err := Admit(t.Context(), secured, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "url: TLS with ") || !strings.HasSuffix(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.url, err, c.want)
		}
	}
}
