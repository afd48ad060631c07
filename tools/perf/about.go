//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// about describes the machine and the versions of a measurement.
type about struct {
	date       string
	properties []property
}

// A property is one line of about.
type property struct{ name, value string }

// describe finds the machine, the commit of pushbench and the versions of its peers.
func describe(ctx context.Context, command string, pairs int) (about, error) {
	ctx, cancel := context.WithTimeout(ctx, replyWait)
	defer cancel()
	own, err := output(ctx, command, "--version")
	if err != nil {
		return about{}, fmt.Errorf("%w (make build)", err)
	}
	var name unix.Utsname
	_ = unix.Uname(&name) // fails only for an invalid address
	a := about{date: time.Now().UTC().Format(time.DateOnly), properties: []property{
		{"processor", fmt.Sprintf("%s, %d cores", cpuModel(), runtime.NumCPU())},
		{"kernel", "Linux " + unix.ByteSliceToString(name.Release[:])},
		{"load average at the start", loadAverage()},
		{"Go", runtime.Version()},
		{"pushbench", strings.TrimPrefix(own, "pushbench ")},
	}}
	for _, p := range peers {
		a.properties = append(a.properties, property{p.name, p.version(ctx)})
	}
	a.properties = append(a.properties, property{"pairs per row", strconv.Itoa(pairs)})
	return a, nil
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // on an error the model is unknown
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// loadAverage returns the mean number of running or waiting threads in the last minute. It
// is below 1 on an idle machine; values of a busy machine are unreliable.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	first, _, found := strings.Cut(string(text), " ")
	if err != nil || !found {
		return "unknown"
	}
	return first
}

// A peer is another tool whose version is recorded.
type peer struct {
	name     string
	requires string // a program, or the absolute path of a file
	argv     []string
	pattern  *regexp.Regexp // its group is the version in the output of argv
}

var peers = []peer{
	{"wrk", "wrk", []string{"wrk", "-v"}, regexp.MustCompile(`wrk (\S+)`)},
	{"k6", k6, []string{k6, "version"}, regexp.MustCompile(`k6(?:\.exe)? (\S+)`)},
	{"nginx", "nginx", []string{"nginx", "-v"}, regexp.MustCompile(`nginx/(\S+)`)},
	{"nchan", "dpkg-query", []string{"dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"}, regexp.MustCompile(`^(\d\S*)$`)},
}

// version runs the peer. It ignores the exit code if the output contains a version: wrk -v
// exits with 1.
func (p peer) version(ctx context.Context) string {
	if !installed(p.requires) {
		return "not installed"
	}
	text, err := output(ctx, p.argv[0], p.argv[1:]...)
	if m := p.pattern.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if err != nil {
		return "unknown: " + err.Error()
	}
	return "unknown"
}

// installed reports whether a program, or a file with an absolute path, exists.
func installed(what string) bool {
	if filepath.IsAbs(what) {
		_, err := os.Stat(what)
		return err == nil
	}
	_, err := exec.LookPath(what)
	return err == nil
}
