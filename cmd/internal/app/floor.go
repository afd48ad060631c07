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

// Parameters of the A/A comparison. It has the recommended number of repetitions of a run. A sample
// per millisecond leaves the machine nearly idle, so that only its noise is measured.
const (
	floorRepetitions = 12
	floorSamples     = 100
	floorEvery       = time.Millisecond
	floorTimeout     = 30 * time.Second
)

// selfComparison compares an echo with itself, as a run compares two transports: a 64-byte echo
// over loopback, measured from its due instant, in slices that are called A and B alternately. Any
// difference is noise of this machine. With the same number of repetitions, no run on this machine
// can distinguish smaller differences.
func selfComparison(ctx context.Context) (host.Diagnosis, error) {
	f := host.Diagnosis{Check: "A/A noise"}
	var sides [2][]float64
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		clock.Sharpen() // locks the thread, which ends with this goroutine
		sides, err = echoSides(ctx)
	}()
	<-done
	if err != nil {
		return f, fmt.Errorf("compare this machine with itself: %w", err)
	}
	return diagnoseFloor(sides), nil
}

// echoSides returns the median latency of each slice of both sides, in seconds.
func echoSides(ctx context.Context) (sides [2][]float64, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return sides, err
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() { // echoes one connection until it ends
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
	if err := conn.SetDeadline(time.Now().Add(floorTimeout)); err != nil {
		return sides, err
	}
	for repetition := range floorRepetitions {
		for i := range 2 {
			slice, err := echoSlice(ctx, conn)
			if err != nil {
				return sides, err
			}
			side := (i + repetition) % 2 // the order alternates
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

// diagnoseFloor warns if the noise exceeds the smallest difference that a verdict reports by
// default.
func diagnoseFloor(sides [2][]float64) host.Diagnosis {
	same := compare.Intervals([]compare.Pairing{{Metric: "echo", Names: [2]string{"A", "B"}, A: sides[0], B: sides[1]}})[0]
	floor := max(same.Hi-1, 1-same.Lo)
	f := host.Diagnosis{
		Check: "A/A noise", State: host.Fine,
		Found: fmt.Sprintf("p50 of an echo compared with itself, %d repetitions of %v: ratio %.3f, 95 %% interval %.3f to %.3f", floorRepetitions, floorSamples*floorEvery, same.Ratio, same.Lo, same.Hi),
	}
	if floor > 0.05 {
		f.State, f.Advice = host.Warn, fmt.Sprintf("Latency differences below %.0f %% are within this machine's noise at %d repetitions: stop other programs or run more repetitions.", 100*floor, floorRepetitions)
	}
	return f
}
