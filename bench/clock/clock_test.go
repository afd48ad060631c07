package clock

import (
	"runtime"
	"testing"
	"time"
)

func TestNowIsTheKernelsClock(t *testing.T) {
	for range 1000 {
		before, now, after := monotonic(), Now(), monotonic()
		// The two clocks share their source; the offset is exact to the spread of one calibration.
		const slack = Instant(20 * time.Microsecond)
		if now < before-slack || now > after+slack {
			t.Fatalf("Now() = %d, kernel clock %d before and %d after", now, before, after)
		}
	}
}

func TestSleepUntilNeverReturnsEarly(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, 300 * time.Microsecond, 3 * time.Millisecond} {
		until := Now().Add(d)
		SleepUntil(until)
		if now := Now(); now < until {
			t.Errorf("SleepUntil(now%+v) returned %v early", d, until.Sub(now))
		}
	}
}

// A garbage collection must not wait for a sleeper that keeps its P.
func TestSleepUntilDoesNotBlockGarbageCollection(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	done := make(chan struct{})
	until := Now().Add(500 * time.Millisecond)
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		SleepUntil(until)
	}()
	collections := 0
	for Now() < until {
		runtime.GC()
		collections++
	}
	<-done
	if collections < 3 {
		t.Errorf("%d collections in 500 ms during a sleep, want at least 3", collections)
	}
}

func BenchmarkNow(b *testing.B) {
	for b.Loop() {
		Now()
	}
}
