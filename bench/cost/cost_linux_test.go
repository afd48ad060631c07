package cost

import (
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func burn(d time.Duration) {
	from, err := Read(os.Getpid())
	if err != nil {
		panic(err)
	}
	for {
		now, _ := Read(os.Getpid())
		if now.CPU-from.CPU >= d {
			return
		}
	}
}

func TestUsageCountsCPUTime(t *testing.T) {
	before, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	burn(100 * time.Millisecond)
	after, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	used := after.Minus(before)
	if used.CPU < 100*time.Millisecond {
		t.Errorf("used 100 ms, counted %v", used.CPU)
	}
	if used.User+used.System != used.CPU {
		t.Errorf("user %v and system %v do not add up to %v", used.User, used.System, used.CPU)
	}
}

func TestMemoryCountsTouchedPages(t *testing.T) {
	before, err := Memory(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	// Mapped rather than allocated: the race detector shadows Go's allocations.
	block, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(block)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	after, err := Memory(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if grown := after - before; grown < size*9/10 || grown > size*3/2 {
		t.Errorf("touched %d bytes, resident size grew by %d", size, grown)
	}
	peak, err := PeakMemory(os.Getpid())
	if err != nil || peak < after*9/10 {
		t.Errorf("peak %d (%v), resident now %d", peak, err, after)
	}
}

func TestReadingAMissingProcessIsAnError(t *testing.T) {
	const noSuchPid = 1 << 30
	if _, err := Read(noSuchPid); err == nil {
		t.Error("Read of no process: no error")
	}
	if _, err := Memory(noSuchPid); err == nil {
		t.Error("Memory of no process: no error")
	}
}

// The count of an ended thread is lost; the difference must not become negative.
func TestContextSwitchesIgnoreEndedThreads(t *testing.T) {
	earlier := Usage{switches: map[int]int64{1: 100, 2: 5000}}
	later := Usage{switches: map[int]int64{1: 130, 3: 7}}
	if got := later.Minus(earlier).ContextSwitches; got != 37 {
		t.Errorf("%d context switches, want 30 of thread 1 and 7 of thread 3", got)
	}
}

func TestUserTimeGrowsWithTheWorkOfACore(t *testing.T) {
	var all []int
	for core := range runtime.NumCPU() {
		all = append(all, core)
	}
	from, err := UserTime(all)
	if err != nil {
		t.Fatal(err)
	}
	for began, to := time.Now(), from; to-from < 100*time.Millisecond; { // this loop is the work
		if time.Since(began) > 20*time.Second {
			t.Fatalf("user time has grown by %v", to-from)
		}
		if to, err = UserTime(all); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUserTimeOfAnUnknownCore(t *testing.T) {
	if _, err := UserTime([]int{1 << 20}); err == nil {
		t.Error("no error")
	}
}
