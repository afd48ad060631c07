package bench

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// roleVariable names the role that the test's executable plays as a child.
const roleVariable = "PUSHBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && cast[os.Args[1]] != nil {
		cast[os.Args[1]]()
		return
	}
	switch os.Getenv(roleVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "keeper":
		if err := KeepAwake(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "refused":
		if err := keepRefused(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
