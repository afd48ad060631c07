package child

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A trial that breaks off because a child died says so, however that was noticed first.
func TestCauseIsTheExitOfAChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		death, noticed := errors.New("link ended: signal: killed"), errors.New("read CPU clock of process 1: invalid argument")
		go func() {
			time.Sleep(10 * time.Millisecond)
			cancel(death)
		}()
		if got := Cause(ctx, noticed); !errors.Is(got, death) {
			t.Errorf("got %v, want %v", got, death)
		}
		if got := Cause(t.Context(), noticed); !errors.Is(got, noticed) {
			t.Errorf("no child died: got %v, want %v", got, noticed)
		}
	})
}
