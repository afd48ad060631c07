package child

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Cause returns the exit of a child, even if an error that results from it was observed first.
func TestCauseIsTheExitOfAChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		exit, consequence := errors.New("link ended: signal: killed"), errors.New("read CPU clock of process 1: invalid argument")
		go func() {
			time.Sleep(10 * time.Millisecond)
			cancel(exit)
		}()
		if got := Cause(ctx, consequence); !errors.Is(got, exit) {
			t.Errorf("got %v, want %v", got, exit)
		}
		if got := Cause(t.Context(), consequence); !errors.Is(got, consequence) {
			t.Errorf("without an exited child: got %v, want %v", got, consequence)
		}
	})
}
