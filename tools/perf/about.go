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

// about is where and with what the rows were measured.
type about struct {
	date  string
	facts []fact
}

// A fact is one line of it.
type fact struct{ name, value string }

// describe finds the machine, the commit of pushbench and the versions of its peers.
func describe(ctx context.Context, command string, pairs int) (about, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	own, err := output(ctx, command, "--version")
	if err != nil {
		return about{}, fmt.Errorf("%w (make build)", err)
	}
	var name unix.Utsname
	_ = unix.Uname(&name) // it fails only for a bad address
	a := about{date: time.Now().UTC().Format(time.DateOnly), facts: []fact{
		{"processor", fmt.Sprintf("%s, %d cores", cpuModel(), runtime.NumCPU())},
		{"kernel", "Linux " + unix.ByteSliceToString(name.Release[:])},
		{"load average at the start", loadAverage()},
		{"Go", runtime.Version()},
		{"pushbench", strings.TrimPrefix(own, "pushbench ")},
	}}
	for _, p := range peers {
		a.facts = append(a.facts, fact{p.name, p.version(ctx)})
	}
	a.facts = append(a.facts, fact{"pairs per row", strconv.Itoa(pairs)})
	return a, nil
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it there is no model to name
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unnamed processor"
}

// loadAverage is how many threads ran or waited for a core in the last minute. A quiet
// machine has less than one, and figures of another are not worth much.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	first, _, found := strings.Cut(string(text), " ")
	if err != nil || !found {
		return "unknown"
	}
	return first
}

// A peer is another tool whose version is of interest.
type peer struct {
	name  string
	needs string // a program, or the path of a file
	argv  []string
	says  *regexp.Regexp // its group is the version in what argv prints
}

var peers = []peer{
	{"wrk", "wrk", []string{"wrk", "-v"}, regexp.MustCompile(`wrk (\S+)`)},
	{"k6", k6, []string{k6, "version"}, regexp.MustCompile(`k6(?:\.exe)? (\S+)`)},
	{"nginx", "nginx", []string{"nginx", "-v"}, regexp.MustCompile(`nginx/(\S+)`)},
	{"nchan", nchanModule, []string{"dpkg-query", "-W", "-f", "${Version}", nchanPackage}, regexp.MustCompile(`^(\d\S*)$`)},
}

// version runs the peer. An exit code is no error where there is a version: wrk -v ends
// with 1.
func (p peer) version(ctx context.Context) string {
	if !installed(p.needs) {
		return "not installed"
	}
	text, err := output(ctx, p.argv[0], p.argv[1:]...)
	if m := p.says.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if err != nil {
		return "unknown: " + err.Error()
	}
	return "unknown"
}

// installed reports whether there is a program, or the file of an absolute path.
func installed(what string) bool {
	if filepath.IsAbs(what) {
		_, err := os.Stat(what)
		return err == nil
	}
	_, err := exec.LookPath(what)
	return err == nil
}
