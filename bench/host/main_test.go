package host

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// roleVariable names the role that the test's executable plays as a child.
const roleVariable = "PUSHBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	play := PreventIdle
	switch os.Getenv(roleVariable) {
	case "":
		goleak.VerifyTestMain(m)
		return
	case "refused":
		play = preventRefused
	}
	if err := play(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
