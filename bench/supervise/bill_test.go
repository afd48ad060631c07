package supervise

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pushbench/scenarios"
)

func TestBillNamesProcessOrPage(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			fmt.Fprint(w, "process_cpu_seconds_total 2\nprocess_resident_memory_bytes 3\n")
		}
	}))
	defer s.Close()
	address := s.Listener.Addr().String()
	at := func(c scenarios.TargetCost) *scenarios.Target { return &scenarios.Target{URL: s.URL, Cost: c} }

	if pid, page, err := Bill(at(scenarios.TargetCost{}), address); pid != 0 || page != nil || err != nil {
		t.Errorf("no cost: got %d, %v, %v", pid, page, err)
	}
	if pid, page, err := Bill(at(scenarios.TargetCost{PID: os.Getpid()}), address); pid != os.Getpid() || page != nil || err != nil {
		t.Errorf("this process: got %d, %v, %v", pid, page, err)
	}
	_, page, err := Bill(at(scenarios.TargetCost{Prometheus: s.URL + "/metrics"}), address)
	if err != nil || page.Address != address {
		t.Fatalf("a page: got %v, %v", page, err)
	}
	if sample, err := page.Read(); err != nil || sample.CPU != 2*time.Second || sample.Memory != 3 {
		t.Errorf("a page: read %v, %v", sample, err)
	}
	const never = 4194304 // above each process id (proc(5), pid_max)
	for _, c := range []struct {
		cost scenarios.TargetCost
		want string
	}{
		{scenarios.TargetCost{PID: never}, "cost.pid: process 4194304 does not exist, or has ended: "},
		{scenarios.TargetCost{Prometheus: s.URL + "/other"}, "cost.prometheus: " + s.URL + "/other has no metric process_cpu_seconds_total"},
	} {
		if _, _, err := Bill(at(c.cost), address); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %s", c.cost, err, c.want)
		}
	}
}

// A descendant is billed as well, and an ended process is an error, not a cost of zero.
func TestTreeOfARunningServer(t *testing.T) {
	c := exec.Command("sh", "-c", "sleep 60 & read end; kill $!")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := readable(c.Process.Pid); err != nil {
		t.Error(err)
	}
	in.Close()
	_ = c.Wait() // the shell fails to read
	if err := readable(c.Process.Pid); err == nil || !strings.Contains(err.Error(), "does not exist, or has ended") {
		t.Error(err)
	}
}
