package endtoend

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostileVariable names the environment that this test's executable creates before it becomes the command.
const hostileVariable = "PUSHBENCH_TEST_ENVIRONMENT"

// environments change the process that calls them, which then becomes the command: nothing else on this machine changes.
var environments = map[string]func() error{
	"no clock_nanosleep":           refuseSleep,
	"no loopback":                  func() error { return unix.Unshare(unix.CLONE_NEWNET) },
	"IPv6 only":                    ipv6Only,
	"a full disk":                  func() error { return disk("4k") },
	"a disk of 64 KiB":             func() error { return disk("64k") },
	"a read-only root":             readOnly,
	"a quota of a tenth of a core": tenthOfACore,
	"a listen queue of 8": func() error {
		return errors.Join(unix.Unshare(unix.CLONE_NEWNET), exec.Command("ip", "link", "set", "lo", "up").Run(), os.WriteFile("/proc/sys/net/core/somaxconn", []byte("8"), 0o600))
	},
	"40 local ports": func() error {
		return errors.Join(unix.Unshare(unix.CLONE_NEWNET), exec.Command("ip", "link", "set", "lo", "up").Run(), os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40039"), 0o600))
	},
	"one core": func() error { var set unix.CPUSet; set.Set(firstCore()); return unix.SchedSetaffinity(0, &set) },
	"as it is": func() error { return nil },
}

// leftBehind is printed with what a command leaves in the folder "disk", which may be mounted for its process only.
const leftBehind = "left behind: "

// init runs a row's command in its environment. It runs on the first thread, which alone has the new namespaces, and so
// has the command.
func init() {
	name := os.Getenv(hostileVariable)
	if name == "" {
		return
	}
	if err := environments[name](); err != nil {
		fmt.Fprintln(os.Stderr, name, err)
		os.Exit(99)
	}
	command := exec.Command(os.Args[1], os.Args[2:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	code := codeOf(command.Run())
	if left, err := os.ReadDir("disk"); err != nil || len(left) > 0 {
		fmt.Println(leftBehind, left, err)
	}
	os.Exit(code & 0xff)
}

// refuseSleep is a filter of system calls (seccomp), as of a container. Threads that this one starts inherit it.
func refuseSleep() error {
	const load, jump, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load, K: 0}, // the number of the call
		{Code: jump, Jf: 1, K: unix.SYS_CLOCK_NANOSLEEP},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

func firstCore() int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) == nil {
		for core := range 1024 {
			if set.IsSet(core) {
				return core
			}
		}
	}
	return 0
}

func ipv6Only() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	return errors.Join(exec.Command("ip", "link", "set", "lo", "up").Run(), exec.Command("ip", "address", "del", "127.0.0.1/8", "dev", "lo").Run())
}

// ownMounts gives this process a list of mounts of its own.
func ownMounts() error {
	return errors.Join(unix.Unshare(unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

// disk mounts a small disk as the folder "disk".
func disk(size string) error {
	return errors.Join(ownMounts(), unix.Mount("small", "disk", "tmpfs", 0, "size="+size))
}

// readOnly makes the root file system read-only. What is mounted below it, such as a temporary folder, is not.
func readOnly() error {
	return errors.Join(ownMounts(), unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
}

// groupFolder is a control group above that of the command, with the quota.
const groupFolder = "/sys/fs/cgroup/cpu/pushbench-hostile-test"

func tenthOfACore() error {
	below := filepath.Join(groupFolder, "below")
	return errors.Join(os.MkdirAll(below, 0o755),
		os.WriteFile(filepath.Join(groupFolder, "cpu.cfs_quota_us"), []byte("10000"), 0o600),
		os.WriteFile(filepath.Join(below, "cgroup.procs"), []byte(fmt.Sprint(os.Getpid())), 0o600))
}

// A hostileRow is what a command does in an environment in which it cannot work.
type hostileRow struct {
	environment string
	variables   []string // of the environment
	command     string   // of a shell; $OUT is a folder that does not exist
	code        int
	says        string // on standard error or standard output
}

const hostileScenario = `version: 1
name: hostile
transports: [sse]
clients: {count: 2}
topics: {count: 1}
publish: {by: backend, rate: 100/s}
payload: {size: 64B}
idle: 0s
warmup: 100ms
window: 300ms
drain: 500ms
`

const (
	measure  = "pushbench run hostile.yaml --quick --repetitions 1 --out $OUT"
	noSleep  = "every measurement on this machine would be invalid: the kernel refuses clock_nanosleep: operation not permitted. Allow it in the filter of system calls (seccomp) of this process or its container"
	noHome   = "every measurement on this machine would be invalid: listen tcp4 127.0.0.1:0: bind: cannot assign requested address. Servers and load generators use it: set the interface lo up, with its IPv4 address"
	isolated = "every measurement on this machine would be invalid: dial tcp4 127.0.0.1:"
)

var hostileRows = []hostileRow{
	{"no clock_nanosleep", nil, measure, exitInvalid, noSleep},
	{"no clock_nanosleep", nil, "pushbench selftest", exitInvalid, noSleep},
	{"no clock_nanosleep", nil, "pushbench doctor", exitInvalid, "every measurement on this machine would be invalid: timer"},
	{"as it is", nil, "ulimit -n 12; exec " + measure, exitUsage, "102 open files in the server and as many in the load generator, but a process may have 12 (ulimit -n)"},
	{"as it is", nil, "OUT=/proc/out; " + measure, exitUsage, "--out: no file can be created in the folder /proc: "},
	{"as it is", []string{"PUSHBENCH_LOCK=/dev/null"}, measure, exitInternal, "take the lock: open /dev/null: not a directory"},
	{"as it is", []string{"TMPDIR=/nonexistent"}, "pushbench selftest --only quantiles", exitInternal, "self-test: create a temporary folder (TMPDIR): stat /nonexistent: no such file or directory"},
}

// hostileRowsAsRoot need a namespace of their own.
var hostileRowsAsRoot = []hostileRow{
	{"no loopback", nil, measure, exitInvalid, isolated},
	{"no loopback", nil, "pushbench doctor", exitInvalid, "every measurement on this machine would be invalid: loopback"},
	{"IPv6 only", nil, measure, exitInvalid, noHome},
	{"a read-only root", nil, measure, exitUsage, "the file system is read-only"},
	{"40 local ports", nil, measure + " --clients 30 --servers 1", exitUsage, "the kernel has 20 ports available for connections to one server; use 2 servers, fewer clients or a higher limit"},
	{"a full disk", nil, measure, exitInternal, "the disk is full"},
}

// A command that cannot work in its environment names the reason, has its exit code, and leaves nothing behind.
func TestHostileEnvironment(t *testing.T) { runHostile(t, hostileRows) }

func TestHostileEnvironmentAsRoot(t *testing.T) { runHostile(t, hostileRowsAsRoot) }

// run returns the folder of the command, its exit code and what it printed.
func (row hostileRow) run(t *testing.T) (dir string, code int, out string) {
	t.Helper()
	self, err := os.Executable()
	dir = t.TempDir()
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, "hostile.yaml"), []byte(hostileScenario), 0o600), os.Mkdir(filepath.Join(dir, "disk"), 0o700)); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self, "sh", "-c", row.command)
	command.Dir, command.Env = dir, append(append(os.Environ(), "OUT=disk/out", hostileVariable+"="+row.environment), row.variables...)
	command.Env = append(command.Env, "PATH="+filepath.Dir(pushbench)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	var printed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &printed
	code = codeOf(command.Run())
	return dir, code, printed.String()
}

func runHostile(t *testing.T, rows []hostileRow) {
	for _, row := range rows {
		t.Run(strings.TrimSpace(row.environment+" "+strings.Join(row.variables, " ")+": "+row.command), func(t *testing.T) {
			dir, code, out := row.run(t)
			if code != row.code || !strings.Contains(out, row.says) {
				t.Errorf("exit code %d, want %d; want %q in\n%s", code, row.code, row.says, out)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 2 || strings.Contains(out, leftBehind) {
				t.Errorf("it left %v behind, %v: %s", left, err, out)
			}
		})
	}
}
