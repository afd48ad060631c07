#!/usr/bin/env bash
# What action.yml does, runnable by hand: builds pushbench from SOURCE, and from BASELINE where one is named, measures
# SCENARIO, and leaves in OUT the run, the comparison, a JUnit file and summary.md. The summary also goes to
# GITHUB_STEP_SUMMARY, broken claims to the log as annotations. Exits as pushbench did, as far as CLAIMS and UNDECIDED let it.
set -euo pipefail

SOURCE=${SOURCE:-.} SCENARIO=${SCENARIO:-chat} OUT=${OUT:-pushbench-results}
BASELINE=${BASELINE:-} BLOCKS=${BLOCKS:-} CLAIMS=${CLAIMS:-true} UNDECIDED=${UNDECIDED:-false}

mkdir -p "$OUT"
if [ -e "$OUT/run" ]; then
	echo "ci.sh: $OUT/run exists already: name another folder by OUT" >&2
	exit 2
fi
make -C "$SOURCE" --no-print-directory build
pushbench=$(cd "$SOURCE" && pwd)/bin/pushbench

arguments=(run "$SCENARIO" --out "$OUT/run" --junit "$OUT/junit.xml" --format markdown)
if [ -n "$BLOCKS" ]; then arguments+=(--blocks "$BLOCKS"); fi
if [ -n "$BASELINE" ]; then
	base=$(mktemp -d)
	trap 'git -C "$SOURCE" worktree remove --force "$base/tree" 2>/dev/null || true; rm -rf "$base"' EXIT
	git -C "$SOURCE" worktree add --quiet --detach "$base/tree" "$BASELINE"
	make -C "$base/tree" --no-print-directory build
	arguments+=(--beside "$base/tree/bin/pushbench")
fi

code=0
"$pushbench" "${arguments[@]}" >"$OUT/summary.md" || code=$?
if [ -n "$BASELINE" ] && [ -e "$OUT/run-beside/manifest.json" ]; then
	compared=0
	{
		echo
		"$pushbench" compare "$OUT/run-beside" "$OUT/run" --format markdown --out "$OUT/compared" --junit "$OUT/junit-compared.xml" || compared=$?
	} >>"$OUT/summary.md"
	# What is worse than before counts, whatever becomes of the claims; what is undecided only where nothing else does.
	case $compared in
	0) ;;
	8) if [ "$code" = 0 ]; then code=8; fi ;;
	*) regression=$compared ;;
	esac
fi

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$OUT/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
# Annotations, as GitHub reads them: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
grep -hE '^(- )?(BROKEN|INVALID|Worse in B)' "$OUT/summary.md" | sed -e 's/^- //' -e 's/%/%25/g' -e 's/^/::error title=pushbench::/' || true
grep -hE '^(- )?(UNDECIDED|Inconclusive)' "$OUT/summary.md" | sed -e 's/^- //' -e 's/%/%25/g' -e 's/^/::warning title=pushbench::/' || true
if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "exit-code=${regression:-$code}" >>"$GITHUB_OUTPUT"; fi

if [ -n "${regression:-}" ]; then exit "$regression"; fi
case $code in
4) if [ "$CLAIMS" != true ]; then code=0; fi ;;
8) if [ "$UNDECIDED" != true ]; then code=0; fi ;;
esac
exit "$code"
