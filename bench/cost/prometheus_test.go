package cost

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const page = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.25
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 4.3e+07
go_goroutines 8
`

func TestPagesAreParsed(t *testing.T) {
	for name, c := range map[string]struct {
		page string
		want Sample
		fail string // "": none
	}{
		"usual":          {page, Sample{12250 * time.Millisecond, 43_000_000}, ""},
		"untyped":        {"process_cpu_seconds_total 1\nprocess_resident_memory_bytes 2\n", Sample{time.Second, 2}, ""},
		"workers":        {"process_cpu_seconds_total{worker=\"1\"} 1\nprocess_cpu_seconds_total{worker=\"2\"} 2\nprocess_resident_memory_bytes 3\n", Sample{3 * time.Second, 3}, ""},
		"no CPU time":    {"process_resident_memory_bytes 3\n", Sample{}, "has no metric process_cpu_seconds_total"},
		"no memory":      {"process_cpu_seconds_total 1\n", Sample{}, "has no metric process_resident_memory_bytes"},
		"empty":          {"", Sample{}, "has no metric process_cpu_seconds_total"},
		"zero":           {strings.Replace(page, "12.25", "0", 1), Sample{}, "has the value 0 of process_cpu_seconds_total; allowed: above 0"},
		"negative":       {strings.Replace(page, "12.25", "-1", 1), Sample{}, "has the value -1 of"},
		"not a number":   {strings.Replace(page, "12.25", "NaN", 1), Sample{}, "has the value NaN of"},
		"infinite":       {strings.Replace(page, "4.3e+07", "+Inf", 1), Sample{}, "has the value +Inf of process_resident_memory_bytes"},
		"too large":      {strings.Replace(page, "12.25", "1e300", 1), Sample{}, "has the value 1e+300 of"},
		"a word":         {strings.Replace(page, "12.25", "many", 1), Sample{}, "is not in the text format of Prometheus: expected float as value, got \"many\""},
		"no value":       {"process_cpu_seconds_total\n", Sample{}, "is not in the text format of Prometheus"},
		"no end of line": {"process_cpu_seconds_total 1", Sample{}, "is not in the text format of Prometheus"},
		"a page of HTML": {"<html>\n", Sample{}, "has no metric process_cpu_seconds_total"},
		"other metrics":  {"a 1\nb{c=\"process_cpu_seconds_total\"} 7\nx-y 1\n" + page + "not parsed\n", Sample{12250 * time.Millisecond, 43_000_000}, ""},
		"a longer name":  {"process_cpu_seconds_total_of_all 7\nprocess_resident_memory_bytes 3\n", Sample{}, "has no metric process_cpu_seconds_total"},
		"a long line":    {strings.Repeat("a", mostLine+1), Sample{}, "has a line of more than 65536 bytes"},
		"many series":    {strings.Repeat("process_cpu_seconds_total{a=\"b\"} 1\n", 10_000), Sample{}, "has more than 262144 bytes of process_cpu_seconds_total and process_resident_memory_bytes"},
		"a histogram":    {"# TYPE process_cpu_seconds_total histogram\nprocess_cpu_seconds_total_sum 1\nprocess_resident_memory_bytes 3\n", Sample{}, "has the value 0 of process_cpu_seconds_total"},
	} {
		got, err := parse(strings.NewReader(c.page))
		switch {
		case c.fail == "" && (err != nil || got != c.want):
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		case c.fail != "" && (err == nil || !strings.HasPrefix(err.Error(), c.fail)):
			t.Errorf("%s: got %v, want %s", name, err, c.fail)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(page))
	f.Add([]byte("# TYPE process_cpu_seconds_total summary\nprocess_cpu_seconds_total{quantile=\"0.5\"} 1\n"))
	f.Fuzz(func(t *testing.T, page []byte) {
		if s, err := parse(bytes.NewReader(page)); err == nil && (s.CPU < 0 || s.Memory < 0) {
			t.Errorf("%q: %+v", page, s)
		}
	})
}

func TestPagesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		fail   string // "": none
	}{
		"a page":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page)) }, ""},
		"not found": {http.NotFound, " returned status 404; allowed: 200"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://other.example.invalid/", http.StatusFound)
		}, " returned status 302; allowed: 200"},
		"malformed": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(cpuMetric + "{")) }, " is not in the text format of Prometheus: "},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("a 1\n"), mostMetrics/4+1))
		}, " has more than 8388608 bytes"},
	} {
		s := httptest.NewServer(c.answer)
		p := Page{URL: "http://far.example.invalid/metrics", Address: s.Listener.Addr().String()}
		_, err := p.Read()
		s.Close()
		if c.fail == "" && err != nil || c.fail != "" && (err == nil || !strings.HasPrefix(err.Error(), p.URL+c.fail)) {
			t.Errorf("%s: got %v, want %q", name, err, c.fail)
		}
	}
}

func TestARestartIsAnError(t *testing.T) {
	pages := []string{page, strings.Replace(page, "12.25", "0.5", 1)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(pages[0]))
		pages = pages[1:]
	}))
	defer s.Close()
	p := Page{URL: s.URL, Address: s.Listener.Addr().String()}
	if _, err := p.Read(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(); err == nil || err.Error() != s.URL+" reports a CPU time of 500ms after 12.25s: the server was restarted" {
		t.Error(err)
	}
}

// A page that does not arrive in time is one clear sentence, wherever it stops.
func TestALatePageIsAnError(t *testing.T) {
	for name, sent := range map[string]string{"nothing": "", "a part": page} {
		release := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if sent != "" {
				_, _ = w.Write([]byte(sent))
				_ = http.NewResponseController(w).Flush()
			}
			<-release
		}))
		p := Page{URL: s.URL, Address: s.Listener.Addr().String(), within: 50 * time.Millisecond}
		if _, err := p.Read(); err == nil || err.Error() != s.URL+" did not arrive within 50ms" {
			t.Errorf("%s: got %v", name, err)
		}
		close(release)
		s.Close()
	}
}
