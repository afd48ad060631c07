package child

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// CollectGarbage collects the garbage of this process and returns memory to the system. Pools keep their buffers through
// one collection.
func CollectGarbage() {
	runtime.GC()
	debug.FreeOSMemory()
}

// collectWait is the maximum time for a garbage collection, which takes a few milliseconds. Servers of other builds
// may ignore the command.
const collectWait = 10 * time.Second

// Collect makes a server collect garbage and return memory to the system, so that what remains resident is in use.
func (p *Process) Collect(ctx context.Context) error {
	if err := p.Send(struct {
		Collect bool `json:"collect"`
	}{true}); err != nil {
		return err
	}
	replied := make(chan error, 1)
	go func() {
		var reply struct {
			Collected bool `json:"collected"`
		}
		line, err := bufio.NewReader(p.Stdout).ReadBytes('\n') // ends with the process at the latest
		if err == nil {
			err = json.Unmarshal(line, &reply)
		}
		if err == nil && !reply.Collected {
			err = fmt.Errorf("reply %q", line)
		}
		replied <- err
	}()
	select {
	case err := <-replied:
		if err != nil {
			return fmt.Errorf("%s did not collect garbage: %w", p.Name, err)
		}
		return nil
	case <-time.After(collectWait):
		return fmt.Errorf("%s did not collect garbage within %v", p.Name, collectWait)
	case <-p.Ended:
		return errors.New(p.ExitReason())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
