package servers_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
)

// A usage is what this process uses, servers and clients together.
type usage struct {
	heap        uint64 // bytes of live objects
	goroutines  int
	descriptors int // -1: this system does not list them
}

func readUsage() usage {
	var m runtime.MemStats
	for heap := ^uint64(0); ; heap = m.HeapAlloc { // cleanups and pools release memory for several collections
		runtime.GC()
		runtime.Gosched()
		if runtime.ReadMemStats(&m); m.HeapAlloc+m.HeapAlloc/100 >= heap {
			break
		}
	}
	u := usage{heap: m.HeapAlloc, goroutines: runtime.NumGoroutine(), descriptors: -1}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.descriptors = len(open)
	}
	return u
}

// leaks compares the usage at two times without clients. Heap may grow by a tenth and 1 MiB, and goroutines by 4: pools
// of the libraries keep some.
func leaks(began, ended usage) (found []string) {
	if ended.heap > began.heap+began.heap/10+1<<20 {
		found = append(found, fmt.Sprintf("heap grew from %d to %d bytes", began.heap, ended.heap))
	}
	if ended.goroutines > began.goroutines+4 {
		found = append(found, fmt.Sprintf("goroutines grew from %d to %d", began.goroutines, ended.goroutines))
	}
	if ended.descriptors > began.descriptors {
		found = append(found, fmt.Sprintf("descriptors grew from %d to %d", began.descriptors, ended.descriptors))
	}
	return found
}

func TestLeaksAreFound(t *testing.T) {
	began := readUsage()
	if found := leaks(began, readUsage()); len(found) > 0 {
		t.Errorf("found %q although nothing leaks", found)
	}
	kept := make([]byte, 4<<20+began.heap/10)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	end := make(chan struct{})
	defer close(end)
	for range 10 {
		go func() { <-end }()
	}
	want := 3
	if began.descriptors < 0 {
		want = 2
	}
	if found := leaks(began, readUsage()); len(found) != want {
		t.Errorf("found %q, want %d leaks", found, want)
	}
	runtime.KeepAlive(kept)
}
