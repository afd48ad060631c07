package cost

import (
	"bufio"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A process whose parent has more than one child is found below each ancestor.
func TestDescendantsAreFoundAtEveryDepth(t *testing.T) {
	c := exec.Command("sh", "-c", "sleep 60 & echo $!; read end; kill $!")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		_ = c.Wait() // the shell fails to read
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	for _, ancestor := range []int{os.Getpid(), c.Process.Pid} {
		found, err := Descendants(ancestor)
		if err != nil || !slices.Contains(found, grandchild) || slices.Contains(found, ancestor) {
			t.Errorf("below %d: got %v, %v; want %d among them", ancestor, found, err, grandchild)
		}
	}
	if found, err := Descendants(grandchild); err != nil || len(found) > 0 {
		t.Errorf("below the last one: got %v, %v", found, err)
	}
	if got := Name(grandchild); got != "sleep" {
		t.Errorf("got name %q, want sleep", got)
	}
}
