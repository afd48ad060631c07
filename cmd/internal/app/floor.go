package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/results/compare"
)

// The shape of the A/A comparison: as many blocks as are advised for a run, a sample
// every millisecond, so that the machine is nearly idle and its noise is all there is.
const (
	floorBlocks  = 12
	floorSamples = 100
	floorEvery   = time.Millisecond
	floorWait    = 30 * time.Second
)

// sameTwice compares one thing with itself, as a run compares two transports: a 64-byte
// echo over loopback, measured from the instant it was due, in slices that are called
// A and B in turn. What then differs is this machine's noise: no run here can tell
// smaller differences apart with as many blocks.
func sameTwice(ctx context.Context) (host.Diagnosis, error) {
	f := host.Diagnosis{Check: "A/A floor"}
	var sides [2][]float64
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		clock.Sharpen() // locks the thread, which ends with this goroutine
		sides, err = echoTwice(ctx)
	}()
	<-done
	if err != nil {
		return f, fmt.Errorf("compare this machine with itself: %w", err)
	}
	return judgeFloor(sides), nil
}

// echoTwice returns the median latency of every slice, in seconds.
func echoTwice(ctx context.Context) (sides [2][]float64, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return sides, err
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() { // gives back what one connection sends until it ends
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			_, err = io.Copy(conn, conn)
		}
		served <- err
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return sides, err
	}
	defer func() {
		conn.Close()
		err = errors.Join(err, <-served)
	}()
	if err := conn.SetDeadline(time.Now().Add(floorWait)); err != nil {
		return sides, err
	}
	for block := range floorBlocks {
		for i := range 2 {
			slice, err := echoSlice(ctx, conn)
			if err != nil {
				return sides, err
			}
			side := (i + block) % 2 // in the other order in every other block
			sides[side] = append(sides[side], slice)
		}
	}
	return sides, nil
}

func echoSlice(ctx context.Context, conn net.Conn) (median float64, err error) {
	var histogram results.Histogram
	message := make([]byte, 64)
	began := clock.Now()
	for i := range floorSamples {
		due := began.Add(time.Duration(i+1) * floorEvery)
		clock.SleepUntil(due)
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if _, err := conn.Write(message); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(conn, message); err != nil {
			return 0, err
		}
		histogram.Record(clock.Now().Sub(due))
	}
	return histogram.Quantile(0.5).Seconds(), nil
}

// judgeFloor warns where a machine differs from itself by more than the smallest
// difference that a verdict calls one by default.
func judgeFloor(sides [2][]float64) host.Diagnosis {
	same := compare.Intervals([]compare.Pairing{{Metric: "echo", Names: [2]string{"A", "B"}, A: sides[0], B: sides[1]}})[0]
	floor := max(same.Hi-1, 1-same.Lo)
	f := host.Diagnosis{
		Check: "A/A floor", State: host.Fine,
		Found: fmt.Sprintf("the p50 of an echo against itself, %d blocks of %v: %.3f times, 95 %% interval %.3f to %.3f", floorBlocks, floorSamples*floorEvery, same.Ratio, same.Lo, same.Hi),
	}
	if floor > 0.05 {
		f.State, f.Advice = host.Warn, fmt.Sprintf("Differences below %.0f %% of a latency cannot be told from noise here in %d blocks: stop other work, or measure more blocks.", 100*floor, floorBlocks)
	}
	return f
}
