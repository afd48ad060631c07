package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/clock"
	"pushbench/results"
)

// mtu is the largest packet of a link in bytes, as on Ethernet.
const mtu = 1500

// Descriptors of the link process: the devices of both ends.
const (
	nearDevice = 3
	farDevice  = 4
)

// Carry runs a link in its own process. It reads the Shape as a line of JSON from in, and
// carries packets between the devices on descriptors 3 and 4 until in ends. It writes {} to
// out when it begins, and the packet counts at the end. It requests the highest priority on
// its core, which needs CAP_SYS_NICE.
func Carry(in *os.File, out io.Writer) error {
	s, err := readShape(in)
	if err != nil {
		return fmt.Errorf("read the link's shape: %w", err)
	}
	for _, fd := range []int{nearDevice, farDevice} {
		if err := unix.SetNonblock(fd, true); err != nil {
			return fmt.Errorf("descriptor %d is not a device: %w", fd, err)
		}
	}
	raisePriority()
	e := json.NewEncoder(out)
	if err := e.Encode(struct{}{}); err != nil {
		return err
	}
	counts, err := forward(nearDevice, farDevice, int(in.Fd()), s)
	return errors.Join(err, e.Encode(counts))
}

// raisePriority gives the calling thread real-time priority on its core, if permitted; its
// lateness is measured in any case. With a busy load generator, a thread at the highest nice
// level was 3 to 6 ms late at p99, and so was one that Go's scheduler can preempt.
//
// A real-time thread must never wait for a normal one: it would keep that thread from running
// until the kernel's limit for real-time threads, 950 ms. Therefore the runtime has no work:
// no garbage collection, no second P that could move the goroutine to another thread, and no
// system call that releases the P.
func raisePriority() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1) // buffers are reused
	first := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if unix.SchedSetAttr(0, &first, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20)
	}
}

// A forwarder carries packets between two devices on one thread.
type forwarder struct {
	fds   [2]int
	lines [2]*delayLine // lines[0] begins at fds[0]
	spare [][]byte
}

// forward carries packets until stop is readable or at its end. The descriptors of the
// devices are non-blocking. Down is from a to b.
func forward(a, b, stop int, s Shape) (results.Link, error) {
	half := s.RTT / 2
	f := &forwarder{fds: [2]int{a, b}, lines: [2]*delayLine{newDelayLine(s, s.RTT-half, 0), newDelayLine(s, half, 1)}}
	for {
		now := f.deliver()
		ended, err := f.wait(stop, now)
		if err == nil && !ended {
			err = f.collect()
		}
		if err != nil || ended {
			return results.Link{Down: f.lines[0].counts, Up: f.lines[1].counts}, err
		}
	}
}

// deliver writes the packets that are due, and returns the time afterwards.
func (f *forwarder) deliver() clock.Instant {
	now := clock.Now()
	for i, l := range f.lines {
		for at, ok := l.due(); ok && at <= now; at, ok = l.due() {
			now = f.write(i, l.pop())
		}
	}
	return now
}

func (f *forwarder) write(i int, p segment) clock.Instant {
	c := &f.lines[i].counts
	n, errno := raw(unix.SYS_WRITE, f.fds[1-i], p.packet)
	now := clock.Now()
	if errno != 0 || n != len(p.packet) {
		c.Refused++
	} else {
		c.Packets++
		c.Bytes += int64(n)
		c.Late.Record(now.Sub(p.due))
	}
	f.spare = append(f.spare, p.packet[:cap(p.packet)])
	return now
}

// longestSleep limits the time for which a garbage collection may have to wait: the runtime
// cannot stop a goroutine in such a system call.
const longestSleep = 10 * time.Millisecond

// wait sleeps until a packet arrives or is due.
func (f *forwarder) wait(stop int, now clock.Instant) (ended bool, err error) {
	fds := [3]unix.PollFd{
		{Fd: int32(f.fds[0]), Events: unix.POLLIN}, {Fd: int32(f.fds[1]), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN},
	}
	sleep := longestSleep
	if at, ok := f.next(); ok {
		sleep = max(0, min(sleep, at.Sub(now)))
	}
	timeout := unix.NsecToTimespec(int64(sleep))
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds)), uintptr(len(fds)), uintptr(unsafe.Pointer(&timeout)), 0, 0, 0)
	if errno != 0 && errno != unix.EINTR {
		return false, fmt.Errorf("wait for packets: %w", errno)
	}
	return fds[2].Revents != 0, nil
}

// raw reads or writes without notifying Go's scheduler: see raisePriority.
func raw(call uintptr, fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// next returns when the next packet of either direction is due.
func (f *forwarder) next() (at clock.Instant, ok bool) {
	for _, l := range f.lines {
		if own, has := l.due(); has && (!ok || own < at) {
			at, ok = own, true
		}
	}
	return at, ok
}

// collect reads arrived packets, a few per direction, so that due packets do not wait.
func (f *forwarder) collect() error {
	const atOnce = 32
	for i, l := range f.lines {
		for range atOnce {
			b := f.buffer()
			n, errno := raw(unix.SYS_READ, f.fds[i], b)
			accepted := errno == 0 && l.push(b[:n], clock.Now())
			if !accepted {
				f.spare = append(f.spare, b)
			}
			if errno == unix.EAGAIN || errno == unix.EINTR {
				break
			}
			if errno != 0 {
				return fmt.Errorf("read a packet: %w", errno)
			}
		}
	}
	return nil
}

func (f *forwarder) buffer() []byte {
	if n := len(f.spare); n > 0 {
		b := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return b
	}
	return make([]byte, mtu)
}
