//go:build nightly && linux

package endtoend

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
)

// An agent is checked as on its machine, and released.
func TestAgentIsChecked(t *testing.T) {
	c := exec.Command(pushbench, "agents", "1", "--json")
	var out bytes.Buffer
	c.Stdout = &out
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	var agents []*exec.Cmd
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		found := joinLine.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		agent := exec.Command(pushbench, "agent", "--join", found[1], "--name", "box")
		if err := agent.Start(); err != nil {
			t.Fatal(err)
		}
		agents = append(agents, agent)
	}
	code := codeOf(c.Wait())
	for _, agent := range agents {
		if code := codeOf(agent.Wait()); code != exitOK {
			t.Errorf("an agent ended with %d", code)
		}
	}
	var got struct{ Agents []app.Surveyed }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Agents) != 1 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, said.String(), out.String())
	}
	unusable := 0
	for _, one := range got.Agents {
		if one.Host.Cores == 0 || one.Bound <= 0 || one.Tool.SHA256 == "" {
			t.Errorf("%+v", one)
		}
		if one.Unusable != "" {
			unusable++ // the machine of the test may be unsuitable, as it is shared
			continue
		}
		if one.Ceiling <= 0 || len(one.Checks) == 0 {
			t.Errorf("%+v", one)
		}
	}
	if want := map[bool]int{true: exitOK, false: exitInvalid}[unusable == 0]; code != want {
		t.Errorf("exit code %d with %d unusable agents: %s", code, unusable, said.String())
	}
}
