#!/usr/bin/env bash
# fuzz.sh TIME PACKAGE TARGET fuzzes one target for TIME. It prints one line, or the output of
# go test if the target fails.
#
# Before Go 1.27 a target may fail when its time ends, with only "context deadline exceeded"
# (https://go.dev/issue/75804). No input failed then, as failing inputs are written to a file.
#
# By default, go test minimizes an input that reaches new code for up to 1 minute, and tries no
# other input meanwhile: the reader of run folders tried 2 inputs in 15 s, with 1 s it tries 1,136.
set -uo pipefail

case $2 in # separate modules
pushbench/tools/perf) module=tools/perf ;;
pushbench/tools/*) module=tools ;;
*) module=. ;;
esac
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
