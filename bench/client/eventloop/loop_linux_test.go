package eventloop

import (
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

func TestResolve(t *testing.T) {
	for target, want := range map[string]unix.Sockaddr{
		":8080":          &unix.SockaddrInet4{Port: 8080, Addr: [4]byte{127, 0, 0, 1}},
		"127.0.0.2:1":    &unix.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 2}},
		"[::1]:65535":    &unix.SockaddrInet6{Port: 65535, Addr: [16]byte{15: 1}},
		"[fe80::1%lo]:2": &unix.SockaddrInet6{Port: 2, Addr: [16]byte{0: 0xfe, 1: 0x80, 15: 1}, ZoneId: 1},
	} {
		got, _, err := resolve(target)
		if err != nil || !reflect.DeepEqual(got(), want) {
			t.Errorf("%s: %v; want %+v", target, err, want)
		}
	}
	for _, target := range []string{"", "127.0.0.1", "[fe80::1%nosuch]:2", "127.0.0.1:x"} {
		if got, _, err := resolve(target); err == nil {
			t.Errorf("%q: got %+v, want an error", target, got())
		}
	}
}

// An engine may be closed twice.
func TestEngineCanBeClosedTwice(t *testing.T) {
	e, err := New(client.Config{Target: "127.0.0.1:1", Traffic: new(client.Traffic), Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	e.Close()
}

// Timers expire in order, each once, however they are set, changed and removed.
func TestTimersExpireInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var timers timers
		all := make([]*timer, 1+r.IntN(60))
		want := map[*timer]clock.Instant{}
		for i := range all {
			all[i] = new(timer)
		}
		for range 300 {
			k := all[r.IntN(len(all))]
			if r.IntN(3) == 0 {
				timers.remove(k)
				delete(want, k)
			} else {
				at := clock.Instant(r.IntN(100))
				timers.set(k, at)
				want[k] = at
			}
		}
		var got []clock.Instant
		for now := clock.Instant(0); now < 100; now++ {
			for k := timers.pop(now); k != nil; k = timers.pop(now) {
				if at, ok := want[k]; !ok || at != now {
					t.Fatalf("popped at %d a timer set for %d (%v)", now, at, ok)
				}
				delete(want, k)
				got = append(got, now)
			}
		}
		if !slices.IsSorted(got) || len(want) != 0 || timers.first() != never {
			t.Fatalf("popped %v, %d timers not popped, want all in order", got, len(want))
		}
	}
}

// A loop that sleeps in a raw system call must not block a garbage collection, nor remain
// pinned after it has stopped.
func TestPinnedLoopStopsForGarbageCollection(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(int(pinnedLoops.Load()) + spareProcs + 1))
	before := pinnedLoops.Load()
	engine, err := New(client.Config{Target: "127.0.0.1:1", Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for pinnedLoops.Load() != before+1 {
		runtime.Gosched()
	}
	for range 10 {
		runtime.GC()
	}
	engine.Close()
	if after := pinnedLoops.Load(); after != before {
		t.Errorf("got %d pinned loops after the engine was closed, want %d as before", after, before)
	}
}
