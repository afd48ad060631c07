package agent

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pushbench/bench/host"
	"pushbench/results"
)

// Only the settings are taken from a server's statistics.
func TestSettingsOfAServer(t *testing.T) {
	got, err := serverSettings([]byte(`{"pid":7,"accepted":3,"gogc":100,"compression":false,"sockets":{"nodelay":true,"send_buffer":"autotuned"},"limits":{"max_poll_timeout_ns":30000000000}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"server gogc": "100", "server compression": "false", "server sockets.nodelay": "true",
		"server sockets.send_buffer": "autotuned", "server limits.max_poll_timeout_ns": "30000000000",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := serverSettings([]byte(`[]`)); err == nil {
		t.Error("an array is accepted as a server's statistics")
	}
}

func TestSettingsOfTheHost(t *testing.T) {
	h := hostSettings(results.Host{Kernel: "6.1", LoadAverage: "1 2 3", Sysctls: map[string]string{"net.core.somaxconn": "4096"}})
	if h["host kernel"] != "6.1" || h["host sysctls.net.core.somaxconn"] != "4096" {
		t.Errorf("host: %v", h)
	}
	if _, compared := h["host load_average"]; compared {
		t.Error("the load average is compared, but it changes constantly")
	}
	if !maps.Equal(hostSettings(host.Facts()), hostSettings(host.Facts())) {
		t.Error("two readings of this host differ: add the field that changes to volatile")
	}
}

func TestChecksumDetectsAnotherExecutable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server")
	sums := map[string]bool{}
	for _, content := range []string{"one", "two", "one"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		sum, err := results.Checksum(path)
		if err != nil {
			t.Fatal(err)
		}
		sums[sum] = true
	}
	if len(sums) != 2 {
		t.Errorf("%d checksums of two executables", len(sums))
	}
	if _, err := results.Checksum(path + "-missing"); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("missing executable: %v", err)
	}
}

func TestDifferencesOfMachines(t *testing.T) {
	a := results.Host{Kernel: "6.1", LoadAverage: "1", Sysctls: map[string]string{"net.core.somaxconn": "4096"}}
	b := results.Host{Kernel: "6.1", LoadAverage: "2", Sysctls: map[string]string{"net.core.somaxconn": "128"}, FileLimit: 64}
	want := []string{"file_limit 0 and 64", "sysctls.net.core.somaxconn 4096 and 128"}
	if got := Differences(a, b); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
