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

turns=()
if [ -n "$BLOCKS" ]; then turns+=(--blocks "$BLOCKS"); fi
if [ -n "$BASELINE" ]; then
	commit=$(git -C "$SOURCE" rev-parse --verify "$BASELINE^{commit}")
	base=$(mktemp -d)
	trap 'rm -rf "$base"' EXIT
	# A clone, because the go command writes no commit into a build of a worktree (https://go.dev/issue/58218).
	git clone --quiet --shared --no-checkout "$SOURCE" "$base/tree"
	git -C "$base/tree" checkout --quiet --detach "$commit"
	make -C "$base/tree" --no-print-directory build
	turns+=(--beside "$base/tree/bin/pushbench")
fi

# compared says in compared.md what changed between the runs named, and returns the exit code of that. What it cannot
# say leaves the file as it was.
compared() {
	local code=0
	"$pushbench" compare "$@" --format markdown --out "$OUT/compared" --junit "$OUT/junit-compared.xml" >"$OUT/compared.new" || code=$?
	case $code in
	0 | 4 | 8) mv "$OUT/compared.new" "$OUT/compared.md" ;;
	*) rm -f "$OUT/compared.new" ;;
	esac
	return "$code"
}

code=0
"$pushbench" run "$SCENARIO" --out "$OUT/run" --junit "$OUT/junit.xml" --format markdown "${turns[@]}" >"$OUT/summary.md" || code=$?
if [ -n "$BASELINE" ] && [ -e "$OUT/run-beside/manifest.json" ]; then
	found=0
	compared "$OUT/run-beside" "$OUT/run" || found=$?
	# One comparison in twenty of a build with itself finds something: what is worse is measured again, from another seed.
	if [ "$found" = 4 ]; then
		again=0
		"$pushbench" run "$SCENARIO" --out "$OUT/again" --seed 7919 --format markdown "${turns[@]}" >"$OUT/again.md" || true # its claims decide nothing
		compared "$OUT/run-beside" "$OUT/run" "$OUT/again-beside" "$OUT/again" || again=$?
		case $again in
		0 | 4 | 8) found=$again ;;
		*) printf '\n- Measured again to confirm that, the rig failed: see again.md.\n' >>"$OUT/compared.md" ;;
		esac
	fi
	if [ -e "$OUT/compared.md" ]; then
		echo >>"$OUT/summary.md"
		cat "$OUT/compared.md" >>"$OUT/summary.md"
	fi
	# What is worse than before counts, whatever becomes of the claims; what cannot be compared only where nothing else does.
	case $found in
	0) ;;
	4) regression=4 ;;
	*) if [ "$code" = 0 ]; then code=$found; fi ;;
	esac
fi

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$OUT/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
# Annotations, as GitHub reads them: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
grep -hE '^(- )?(BROKEN|INVALID|PARTIAL|SATURATED|Worse in B:)' "$OUT/summary.md" | sed -e 's/^- //' -e 's/%/%25/g' -e 's/^/::error title=pushbench::/' || true
grep -hE '^(- )?(UNDECIDED|Inconclusive|Worse in B, but|ESTIMATE, no verdict)' "$OUT/summary.md" | sed -e 's/^- //' -e 's/%/%25/g' -e 's/^/::warning title=pushbench::/' || true
if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "exit-code=${regression:-$code}" >>"$GITHUB_OUTPUT"; fi

if [ -n "${regression:-}" ]; then exit "$regression"; fi
case $code in
4) if [ "$CLAIMS" != true ]; then code=0; fi ;;
8) if [ "$UNDECIDED" != true ]; then code=0; fi ;;
esac
exit "$code"
