//go:build nightly

package endtoend

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/bench/payload"
	"pushbench/bench/target"
	"pushbench/scenarios"
)

// The counts for nchan agree with sources that share no code with them: bytes with a capture of packets, CPU time with
// /proc/PID/stat of its master and worker, deliveries with its status page.
func TestNchanAgreesWithIndependentCountsAsRoot(t *testing.T) {
	for _, transport := range []scenarios.Transport{"longpoll", "sse", "websocket"} {
		t.Run(string(transport), func(t *testing.T) { nchanAgrees(t, transport) })
	}
}

const (
	agreeClients = 50
	agreeRounds  = 40
	agreeEach    = 50 // messages of a round: nchan keeps 1,000 for a client that polls
	agreeTopic   = "agreed"
	agreeRun     = 0xa9eeed
	agreeSize    = 128
)

func nchanAgrees(t *testing.T, transport scenarios.Transport) {
	path, err := filepath.Abs("../../../servers/foreign/nchan/target.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := scenarios.LoadTarget(path)
	if err != nil {
		t.Fatal(err)
	}
	server, greeting, err := child.StartServer(t.Context(), []string{pushbench, "supervise", path}, child.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.End(child.ExitTimeout) }()
	page := openStatus(t, greeting.Listening) // before the capture, which leaves its connection out
	packets := capture(t, greeting.Listening)
	dialect, err := target.Compile(file, transport, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	traffic, sink := new(client.Traffic), newAgreeSink()
	engine, err := engines.New(engines.EventLoop, client.Config{
		Target: greeting.Listening, Transport: transport, Workers: 1, Traffic: traffic, Dialect: dialect,
		Payloads: payload.NewScanner(agreeRun, func(uint32) int { return agreeSize }),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	defer time.AfterFunc(time.Minute, func() { sink.fail("not complete after a minute") }).Stop()
	var sessions []client.Session
	defer func() {
		for _, s := range sessions {
			s.Close()
		}
	}()
	for c := range agreeClients {
		sessions = append(sessions, engine.Open(client.Subscription{Client: c, Topics: []string{agreeTopic}, Delivery: "every"}, sink))
	}
	backend := engine.Open(client.Subscription{Client: agreeClients}, sink)
	sessions = append(sessions, backend)
	for page.read(t)["subscribers"] != agreeClients {
		clock.Wait(t.Context(), clock.Now().Add(time.Millisecond))
	}

	bytesBefore, deliveredBefore := packets.agree(t, traffic), sink.wait(t, 0, 0)
	cpuBefore, ticksBefore := billed(t, server), ticks(t, server)
	for round := range agreeRounds {
		for i := range agreeEach {
			index := uint32(round*agreeEach + i)
			backend.Publish(index, agreeTopic, payload.Append(nil, agreeRun, index, agreeSize))
		}
		n := (round + 1) * agreeEach
		sink.wait(t, n, n*agreeClients)
	}
	cpu, own := billed(t, server)-cpuBefore, ticks(t, server)-ticksBefore
	bytes, delivered := packets.agree(t, traffic)-bytesBefore, sink.wait(t, 0, 0)-deliveredBefore

	published := page.read(t)["total published messages"]
	t.Logf("%d bytes for %d deliveries: %.1f B per message; CPU time %v, by /proc/PID/stat %v; %d published, %d subscribers",
		bytes, delivered, float64(bytes)/float64(delivered), cpu, own, published, agreeClients)
	if want := published * agreeClients; delivered != want {
		t.Errorf("%d deliveries, but nchan accepted %d messages for %d subscribers", delivered, published, agreeClients)
	}
	// User and system time are each rounded down, for two processes and two readings.
	if difference := (cpu - own).Abs(); difference > 8*10*time.Millisecond || cpu < 20*10*time.Millisecond {
		t.Errorf("CPU time %v, by /proc/PID/stat %v", cpu, own)
	}
}

// An agreeSink counts deliveries and acknowledgements.
type agreeSink struct {
	mu               sync.Mutex // guards the fields below
	delivered, acked int
	failure          string
	changed          *sync.Cond
}

func newAgreeSink() *agreeSink {
	s := &agreeSink{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *agreeSink) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delivered += len(b.Messages)
	s.changed.Broadcast()
}

func (s *agreeSink) fail(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = why
	s.changed.Broadcast()
}

func (s *agreeSink) Event(_ int, e client.Event, _ clock.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case client.Acked:
		s.acked++
	case client.Failed, client.Dropped, client.Disconnected:
		s.failure = e.Cause
	}
	s.changed.Broadcast()
}

// wait waits for acknowledgements and deliveries, and returns the number of deliveries.
func (s *agreeSink) wait(t *testing.T, acked, delivered int) int {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for (s.acked < acked || s.delivered < delivered) && s.failure == "" {
		s.changed.Wait()
	}
	if s.failure != "" {
		t.Fatalf("%d of %d acknowledged, %d of %d delivered: %s", s.acked, acked, s.delivered, delivered, s.failure)
	}
	return s.delivered
}

// A statusPage reads nchan_stub_status on one connection.
type statusPage struct {
	net.Conn
	in *bufio.Reader
}

func openStatus(t *testing.T, address string) statusPage {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return statusPage{c, bufio.NewReader(c)}
}

var statusLine = regexp.MustCompile(`(?m)^([a-z ]+): ([0-9]+)$`)

func (p statusPage) read(t *testing.T) map[string]int {
	t.Helper()
	fmt.Fprint(p, "GET /status HTTP/1.1\r\nHost: nchan\r\n\r\n")
	response, err := http.ReadResponse(p.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]int{}
	for _, m := range statusLine.FindAllStringSubmatch(string(body), -1) {
		values[m[1]], _ = strconv.Atoi(m[2])
	}
	return values
}

// billed is the CPU time that pushbench bills to a server.
func billed(t *testing.T, server *child.Process) (sum time.Duration) {
	t.Helper()
	pids, err := server.PIDs()
	for _, pid := range pids {
		used, failed := cost.Read(pid)
		err = errors.Join(err, failed)
		sum += used.CPU
	}
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// ticks is the CPU time in /proc/PID/stat of the master and the worker of nginx (proc(5): fields 14 and 15).
func ticks(t *testing.T, server *child.Process) (sum time.Duration) {
	t.Helper()
	found := 0
	for _, pid := range append([]int{server.PID()}, nginxBelow(t, server.PID())...) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		name, rest, _ := strings.Cut(string(stat), ") ")
		if !strings.HasSuffix(name, "(nginx") {
			continue
		}
		found++
		for _, field := range strings.Fields(rest)[11:13] {
			n, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	if found != 2 {
		t.Fatalf("%d processes of nginx, want its master and one worker", found)
	}
	return sum
}

// nginxBelow lists the descendants of a process by the kernel's lists of children.
func nginxBelow(t *testing.T, pid int) (all []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // the thread ended
			t.Fatal(err)
		}
		for _, field := range strings.Fields(string(text)) {
			below, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			all = append(append(all, below), nginxBelow(t, below)...)
		}
	}
	return all
}

// A packetCapture counts the packets of a port of the loopback interface, of connections whose first packet it has seen.
type packetCapture struct {
	fd, port int
	clients  map[int]bool // their ports
	up, down capturedBytes
	buffer   [128 << 10]byte
}

// capturedBytes counts one direction: the bytes that TCP carries.
type capturedBytes struct{ packets, payload int64 }

// capture begins to capture.
func capture(t *testing.T, address string) *packetCapture {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &packetCapture{clients: map[int]bool{}}
	if p.port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if p.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p.fd) })
	const room = 256 << 20
	filter := []unix.SockFilter{ // ports follow the header of IP, whose length is its first byte's
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(p.port), Jt: 2},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 2},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(p.port), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 18},
		{Code: unix.BPF_RET | unix.BPF_K},
	}
	loopback, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	bigEndianIP := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_IP))
	if err := errors.Join(
		unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room),
		unix.SetsockoptSockFprog(p.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}),
		unix.Bind(p.fd, &unix.SockaddrLinklayer{Protocol: bigEndianIP, Ifindex: loopback.Index}),
	); err != nil {
		t.Fatal(err)
	}
	return p
}

// take counts the packets that have been captured. Loopback shows each packet twice: when it leaves, and when it arrives.
func (p *packetCapture) take(t *testing.T) {
	t.Helper()
	for {
		n, from, err := unix.Recvfrom(p.fd, p.buffer[:], 0)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_HOST {
			p.count(p.buffer[:n])
		}
	}
	statistics, err := unix.GetsockoptTpacketStats(p.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil || statistics.Drops > 0 {
		t.Fatalf("%d packets were not captured: %v", statistics.Drops, err)
	}
}

// count counts a packet of IPv4 (RFC 791, section 3.1; RFC 9293, section 3.1).
func (p *packetCapture) count(packet []byte) {
	header := int(packet[0]&0xf) * 4
	tcp := packet[header:]
	const syn = 2
	size := int64(binary.BigEndian.Uint16(packet[2:])) - int64(header) - int64(tcp[12]>>4)*4
	peer, to, direction := int(binary.BigEndian.Uint16(tcp)), int(binary.BigEndian.Uint16(tcp[2:])), &p.up
	if to != p.port {
		peer, direction = to, &p.down
	} else if tcp[13]&syn != 0 {
		p.clients[peer] = true
	}
	if packet[9] == unix.IPPROTO_TCP && p.clients[peer] {
		direction.packets++
		direction.payload += size
	}
}

// agree waits until pushbench and the capture have counted the same bytes and packets, and returns the bytes. Packets
// without data may be on their way for 40 ms.
func (p *packetCapture) agree(t *testing.T, traffic *client.Traffic) int {
	t.Helper()
	const wait = 10 * time.Second
	for begun := clock.Now(); ; {
		counted, tcp := traffic.Snapshot(), traffic.TCP()
		p.take(t)
		if counted.Up.Bytes == p.up.payload && counted.Down.Bytes == p.down.payload && tcp.Up.Segments == p.up.packets && tcp.Down.Segments == p.down.packets {
			return int(counted.Bytes())
		}
		if clock.Now().Sub(begun) > wait {
			t.Fatalf("counted %d bytes up in %d packets and %d down in %d; captured %d in %d and %d in %d",
				counted.Up.Bytes, tcp.Up.Segments, counted.Down.Bytes, tcp.Down.Segments, p.up.payload, p.up.packets, p.down.payload, p.down.packets)
		}
		clock.Wait(t.Context(), clock.Now().Add(time.Millisecond))
	}
}
