package main

import "strings"

// exitHelp explains each app.Code.
const exitHelp = `Exit codes:
  0 success          1 internal error       2 usage or scenario error
  3 invalid run      4 failed assertion or comparison
  5 target not permitted                    6 interrupted
  7 corrupt input    8 inconclusive`

// inLines formats an error for stderr. Each of several joined errors is a line with the prefix.
func inLines(err error) string {
	return "pushbench: " + strings.ReplaceAll(err.Error(), "\n", "\npushbench: ")
}
