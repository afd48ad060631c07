package main

import (
	"strings"

	"pushbench/results"
)

// exitHelp explains each app.Code.
const exitHelp = `Exit codes:
  0 success          1 internal error       2 usage or scenario error
  3 invalid run      4 failed assertion or comparison
  5 target not permitted                    6 interrupted
  7 corrupt input    8 inconclusive`

// inLines formats an error for stderr. Each of several joined errors is a line with the prefix. Text of
// servers and files cannot control the terminal.
func inLines(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = "pushbench: " + results.Plain(line)
	}
	return strings.Join(lines, "\n")
}
