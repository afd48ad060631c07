//go:build !race

// The race detector allocates memory itself, so these tests run without it.

package client

import "testing"

func TestAllocationsOfDecode(t *testing.T) {
	var d decoder
	var f frame
	decode := func(in []byte) func() {
		return func() {
			if err := d.decode(in, &f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, in := range map[string][]byte{
		"a plain batch of ten": plainBatch(),
		"an ack":               []byte(`{"ack":5,"seq":7}`),
		"escapes":              []byte(`{"messages":[{"data":"\n\u0000\ud83d\ude00"}]}`),
	} {
		if got := testing.AllocsPerRun(100, decode(in)); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func TestAllocationsOfAppendPublish(t *testing.T) {
	out := make([]byte, 0, 1024)
	payload := []byte("a \"quoted\" word\n")
	if got := testing.AllocsPerRun(100, func() { out = appendPublish(out[:0], 7, "room-7", payload) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
