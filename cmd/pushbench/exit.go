package main

import "strings"

// exitHelp names the codes of app.Code.
const exitHelp = `Exit codes:
  0 ok              1 internal error     2 usage or scenario
  3 invalid run     4 broken claim       5 target refused
  6 interrupted     7 corrupt input      8 inconclusive`

// inLines is an error as it is printed: each of several is a line of ours.
func inLines(err error) string {
	return "pushbench: " + strings.ReplaceAll(err.Error(), "\n", "\npushbench: ")
}
