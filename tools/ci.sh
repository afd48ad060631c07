#!/usr/bin/env bash
# ci.sh runs the steps of action.yml, also by hand. It builds pushbench from SOURCE, and from BASELINE if set, and measures
# SCENARIO. OUT then has the run, the comparison, a JUnit file and summary.md. The summary is appended to
# GITHUB_STEP_SUMMARY, and failed assertions become annotations of the log. The exit code is that of pushbench, except
# that ASSERTIONS=false ignores failed assertions and UNDECIDED=false (the default) ignores undecided results.
set -euo pipefail

# renamed OLD NEW takes the value of a variable's deprecated name.
renamed() {
	if [ -z "${!1:-}" ]; then return; fi
	if [ -n "${!2:-}" ]; then
		echo "ci.sh: $1 is the deprecated name of $2: set only $2" >&2
		exit 2
	fi
	echo "::warning title=pushbench::deprecated: $1 is now $2"
	printf -v "$2" %s "${!1}"
}
renamed BLOCKS REPETITIONS
renamed CLAIMS ASSERTIONS

SOURCE=${SOURCE:-.} SCENARIO=${SCENARIO:-chat} OUT=${OUT:-pushbench-results}
BASELINE=${BASELINE:-} REPETITIONS=${REPETITIONS:-} ASSERTIONS=${ASSERTIONS:-true} UNDECIDED=${UNDECIDED:-false}

mkdir -p "$OUT"
if [ -e "$OUT/run" ]; then
	echo "ci.sh: $OUT/run exists already: set OUT to another folder" >&2
	exit 2
fi
make -C "$SOURCE" --no-print-directory build
pushbench=$(cd "$SOURCE" && pwd)/bin/pushbench

flags=()
if [ -n "$REPETITIONS" ]; then flags+=(--repetitions "$REPETITIONS"); fi
if [ -n "$BASELINE" ]; then
	commit=$(git -C "$SOURCE" rev-parse --verify "$BASELINE^{commit}")
	base=$(mktemp -d)
	trap 'rm -rf "$base"' EXIT
	# A clone, because the go command writes no commit into a build of a worktree (https://go.dev/issue/58218).
	git clone --quiet --shared --no-checkout "$SOURCE" "$base/tree"
	git -C "$base/tree" checkout --quiet --detach "$commit"
	make -C "$base/tree" --no-print-directory build
	flags+=(--baseline "$base/tree/bin/pushbench")
fi

# compare_runs writes the comparison of runs to compared.md and returns its exit code. If they cannot be compared, the
# file stays unchanged.
compare_runs() {
	local code=0
	"$pushbench" compare "$@" --format markdown --out "$OUT/compared" --junit "$OUT/junit-compared.xml" >"$OUT/compared.new" || code=$?
	case $code in
	0 | 4 | 8) mv "$OUT/compared.new" "$OUT/compared.md" ;;
	*) rm -f "$OUT/compared.new" ;;
	esac
	return "$code"
}

code=0
"$pushbench" run "$SCENARIO" --out "$OUT/run" --junit "$OUT/junit.xml" --format markdown "${flags[@]}" >"$OUT/summary.md" || code=$?
if [ -n "$BASELINE" ] && [ -e "$OUT/run-baseline/manifest.json" ]; then
	# Here code is for the assertions alone: the comparison, which is part of the exit code of run, may be repeated.
	case $code in
	4 | 8)
		code=0
		if grep -qE '<failure [^>]*type="assertion"' "$OUT/junit.xml"; then code=4; elif grep -qE '<(error|skipped) [^>]*"undecided' "$OUT/junit.xml"; then code=8; fi
		;;
	esac
	found=0
	compare_runs "$OUT/run-baseline" "$OUT/run" || found=$?
	# 1 comparison in 20 of a build with itself reports a difference: a regression is measured again with another seed.
	if [ "$found" = 4 ]; then
		again=0
		"$pushbench" run "$SCENARIO" --out "$OUT/again" --seed 7919 --format markdown "${flags[@]}" >"$OUT/again.md" || true # its assertions do not count
		compare_runs "$OUT/run-baseline" "$OUT/run" "$OUT/again-baseline" "$OUT/again" || again=$?
		case $again in
		0 | 4 | 8) found=$again ;;
		*) printf '\n- The second measurement, to confirm the regression, failed: see again.md.\n' >>"$OUT/compared.md" ;;
		esac
	fi
	if [ -e "$OUT/compared.md" ]; then
		echo >>"$OUT/summary.md"
		cat "$OUT/compared.md" >>"$OUT/summary.md"
	fi
	# A regression counts whatever the assertions' outcomes. Runs that cannot be compared count only if nothing else failed.
	case $found in
	0) ;;
	4) regression=4 ;;
	*) if [ "$code" = 0 ]; then code=$found; fi ;;
	esac
fi

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$OUT/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
# Annotations in the syntax of GitHub: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
grep -hE '^(- )?(FAILED|INVALID|INTERRUPTED|OVERLOADED|Worse in B:)' "$OUT/summary.md" | sed -e 's/^- //' -e 's/%/%25/g' -e 's/^/::error title=pushbench::/' || true
grep -hE '^(- )?(UNDECIDED|Inconclusive|Worse in B, but|ESTIMATE, no verdict)' "$OUT/summary.md" | sed -e 's/^- //' -e 's/%/%25/g' -e 's/^/::warning title=pushbench::/' || true
if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "exit-code=${regression:-$code}" >>"$GITHUB_OUTPUT"; fi

if [ -n "${regression:-}" ]; then exit "$regression"; fi
case $code in
4) if [ "$ASSERTIONS" != true ]; then code=0; fi ;;
8) if [ "$UNDECIDED" != true ]; then code=0; fi ;;
esac
exit "$code"
