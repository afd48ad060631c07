package agent

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"pushbench/bench/generator"
)

// roles are the roles of the test's executable as a child, selected by its only argument.
var roles = map[string]func(){
	"generator":           func() { _ = generator.Drive(os.Stdin, os.Stdout) },
	"server-known-memory": func() { serveKnownMemory(`"settings":"small"`) },
	"target-known-memory": serveTargetMemory,
	"target-used-memory":  serveUsedMemory,
}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && roles[os.Args[1]] != nil {
		roles[os.Args[1]]()
		return
	}
	goleak.VerifyTestMain(m)
}
