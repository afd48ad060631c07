#!/usr/bin/env bash
# fuzz.sh TIME PACKAGE TARGET fuzzes one target for so long and prints one line, or all that
# go test printed if the target failed.
#
# Before Go 1.27 a target may fail as its time ends, with nothing but "context deadline
# exceeded" (https://go.dev/issue/75804). No input failed then: what fails is written to a file.
#
# An input that reaches new code is made smaller for a minute by default, in which nothing
# else is tried: with it the reader of run folders tried 2 inputs in 15 s, now 1,136.
set -uo pipefail

module=.
if [ "$2" = pushbench/tools/perf ]; then module=tools/perf; fi # a module of its own
out=$(go -C "$module" test -run '^$' -fuzz "^$3\$" -parallel 1 -fuzztime "$1" -fuzzminimizetime 1s "$2" 2>&1)
code=$?
if [ $code != 0 ] && grep -qx ' *context deadline exceeded' <<<"$out" && ! grep -qE 'Failing input|panic|_test\.go:' <<<"$out"; then
	code=0
fi
if [ $code != 0 ]; then
	printf 'FAIL %s %s\n%s\n' "$2" "$3" "$out"
	exit 1
fi
printf 'ok   %s %s: %s\n' "$2" "$3" "$(grep -o 'execs: [0-9]*' <<<"$out" | tail -n 1)"
