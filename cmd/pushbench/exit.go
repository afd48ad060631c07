package main

import (
	"errors"
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
// servers, files and their names cannot control the terminal or begin a line.
func inLines(err error) string {
	return "pushbench: " + strings.Join(linesOf(err), "\npushbench: ")
}

// linesOf returns the joined errors of an error, in what they are wrapped in.
func linesOf(err error) []string {
	text := err.Error()
	if several, ok := err.(interface{ Unwrap() []error }); ok && text == errors.Join(several.Unwrap()...).Error() {
		var lines []string
		for _, one := range several.Unwrap() {
			lines = append(lines, linesOf(one)...)
		}
		return lines
	}
	if inner := errors.Unwrap(err); inner != nil {
		if before, after, ok := strings.Cut(text, inner.Error()); ok {
			lines := linesOf(inner)
			lines[0] = results.Plain(before) + lines[0]
			lines[len(lines)-1] += results.Plain(after)
			return lines
		}
	}
	return []string{results.Plain(text)}
}
