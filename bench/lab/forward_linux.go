package lab

import (
	"bufio"
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

// Descriptors of a link's process: the devices of both ends.
const (
	nearDevice = 3
	farDevice  = 4
)

// Carry is a link's process: in says its Shape in a line of JSON, and then only ends. Until
// then packets are carried between the devices that it was given as descriptors 3 and 4;
// out is told {} when that begins, and in the end what crossed. It asks to be scheduled
// ahead of everything else on its core, which needs CAP_SYS_NICE.
func Carry(in *os.File, out io.Writer) error {
	line, err := bufio.NewReaderSize(in, 4096).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read the link's shape: %w", err)
	}
	var s Shape
	if err := json.Unmarshal(line, &s); err != nil {
		return fmt.Errorf("read the link's shape: %w", err)
	}
	for _, fd := range []int{nearDevice, farDevice} {
		if err := unix.SetNonblock(fd, true); err != nil {
			return fmt.Errorf("descriptor %d is no device: %w", fd, err)
		}
	}
	getAhead()
	say := json.NewEncoder(out)
	if err := say.Encode(struct{}{}); err != nil {
		return err
	}
	crossed, err := forward(nearDevice, farDevice, int(in.Fd()), s)
	return errors.Join(err, say.Encode(crossed))
}

// getAhead has the calling thread run ahead of all others of its core, where that is
// allowed; how late it is, is measured all the same. Beside a busy generator a thread that
// is only nice to nobody was 3 to 6 ms late at p99, and one that Go's scheduler takes
// turns with as well.
//
// A real-time thread must never wait for an ordinary one, which it keeps from running until
// the kernel's limit for real-time threads, 950 ms. So the runtime is left nothing to do: no
// collection, no second P that could take the goroutine to another thread, and no system
// call that gives the P away.
func getAhead() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1) // buffers are used again and again
	first := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if unix.SchedSetAttr(0, &first, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20)
	}
}

// A forwarder carries packets between two devices. One thread does all of it.
type forwarder struct {
	fds   [2]int
	ways  [2]*way // ways[0] begins at fds[0]
	spare [][]byte
}

// forward carries packets until stop is readable or at its end. The devices' descriptors
// do not block. Down is from a to b.
func forward(a, b, stop int, s Shape) (results.Link, error) {
	half := s.RTT / 2
	f := &forwarder{fds: [2]int{a, b}, ways: [2]*way{newWay(s, s.RTT-half, 0), newWay(s, half, 1)}}
	for {
		now := f.deliver()
		ended, err := f.wait(stop, now)
		if err == nil && !ended {
			err = f.collect()
		}
		if err != nil || ended {
			return results.Link{Down: f.ways[0].counts, Up: f.ways[1].counts}, err
		}
	}
}

// deliver writes what is due, and says when it was done.
func (f *forwarder) deliver() clock.Instant {
	now := clock.Now()
	for i, w := range f.ways {
		for at, ok := w.due(); ok && at <= now; at, ok = w.due() {
			now = f.write(i, w.leave())
		}
	}
	return now
}

func (f *forwarder) write(i int, p parcel) clock.Instant {
	c := &f.ways[i].counts
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

// longestSleep is how long a collection of this process may have to wait for us, where
// there are any: a goroutine in such a system call cannot be stopped.
const longestSleep = 10 * time.Millisecond

// wait sleeps until something comes or is due.
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

// raw reads or writes without a word to Go's scheduler: see getAhead.
func raw(call uintptr, fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// next is when the next packet of either way is due.
func (f *forwarder) next() (at clock.Instant, ok bool) {
	for _, w := range f.ways {
		if own, has := w.due(); has && (!ok || own < at) {
			at, ok = own, true
		}
	}
	return at, ok
}

// collect reads what has come, a few of each way at a time, so that what is due does not wait.
func (f *forwarder) collect() error {
	const atOnce = 32
	for i, w := range f.ways {
		for range atOnce {
			room := f.room()
			n, errno := raw(unix.SYS_READ, f.fds[i], room)
			kept := errno == 0 && w.enter(room[:n], clock.Now())
			if !kept {
				f.spare = append(f.spare, room)
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

func (f *forwarder) room() []byte {
	if n := len(f.spare); n > 0 {
		room := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return room
	}
	return make([]byte, mtu)
}
