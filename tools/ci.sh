#!/usr/bin/env bash
# ci.sh runs the steps of action.yml, also by hand. It builds pushbench from SOURCE and measures SCENARIO: with the servers of
# pushbench, or with the server that the file TARGET describes. With BASELINE it measures those of that commit in turns with
# them: of SOURCE, or of the repository of TARGET. BUILD runs in each checkout of the server. OUT then has the run, the comparison, JUnit files, summary.md and comment.md. The summary is appended to
# GITHUB_STEP_SUMMARY, and failed assertions become annotations of the log. The exit code is that of pushbench, except
# that ASSERTIONS=false ignores failed assertions and UNDECIDED=false (the default) ignores undecided results.
set -euo pipefail

# annotate LEVEL prints each distinct line of its input as an annotation:
# https://docs.github.com/actions/reference/workflow-commands-for-github-actions
annotate() { awk '!seen[$0]++' | sed -e 's/^- //' -e 's/%/%25/g' -e "s/^/::$1 title=pushbench::/"; }

# refuse TEXT ends with the exit code of a usage error.
refuse() {
	echo "ci.sh: $1" >&2
	annotate error <<<"$1"
	exit 2
}

base=$(mktemp -d) result=
finish() {
	local code=$?
	rm -rf "$base"
	if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "exit-code=${result:-$code}" >>"$GITHUB_OUTPUT"; fi
}
trap finish EXIT

# renamed OLD NEW takes the value of a variable's deprecated name.
renamed() {
	if [ -z "${!1:-}" ]; then return; fi
	if [ -n "${!2:-}" ]; then refuse "$1 is the deprecated name of $2: set only $2"; fi
	annotate warning <<<"deprecated: $1 is now $2"
	printf -v "$2" %s "${!1}"
}
renamed BLOCKS REPETITIONS
renamed CLAIMS ASSERTIONS

SOURCE=${SOURCE:-.} SCENARIO=${SCENARIO:-chat} OUT=${OUT:-pushbench-results} ARTIFACT=${ARTIFACT:-} MATRIX=${MATRIX:-}
TARGET=${TARGET:-} BUILD=${BUILD:-} BASELINE=${BASELINE:-} REPOSITORY=${REPOSITORY:-} REPETITIONS=${REPETITIONS:-} ASSERTIONS=${ASSERTIONS:-true} UNDECIDED=${UNDECIDED:-false}
# The build of a server may have variables of these names.
export -n SOURCE SCENARIO OUT ARTIFACT MATRIX TARGET BUILD BASELINE REPOSITORY REPETITIONS ASSERTIONS UNDECIDED BLOCKS CLAIMS

for name in SOURCE SCENARIO OUT ARTIFACT TARGET BASELINE REPOSITORY REPETITIONS ASSERTIONS UNDECIDED; do
	case ${!name} in
	-* | *[$'\n\r']*) refuse "$name: $(printf %q "${!name}") is not allowed; allowed: one line that does not begin with -" ;;
	esac
done
for name in ASSERTIONS UNDECIDED; do
	case ${!name} in
	true | false) ;;
	*) refuse "$name: ${!name} is not allowed; allowed: true, false" ;;
	esac
done
origin=$SOURCE file= # the checkout that has the servers, and the target file in it
if [ -n "$TARGET" ]; then
	if [[ ! -f $TARGET || $TARGET == *,* ]]; then refuse "TARGET: $TARGET is no file; allowed: the path of one target file, without a comma"; fi
	if [[ $TARGET != */* ]]; then TARGET=./$TARGET; fi # not the name of a target that ships with pushbench
	if [ -n "$BASELINE$BUILD" ]; then
		origin=$(git -C "${TARGET%/*}/" rev-parse --show-toplevel) || refuse "TARGET: $TARGET is in no repository; allowed with BASELINE or BUILD: a file in a checkout of its server"
		file=$(git -C "${TARGET%/*}/" rev-parse --show-prefix)${TARGET##*/}
	fi
elif [ -n "$BUILD" ]; then
	refuse "BUILD: builds the server of a target; allowed: together with TARGET"
fi
if [ -e "$OUT/run" ]; then refuse "OUT: $OUT/run exists already; allowed: another folder"; fi
case $OUT in
"~"*) refuse "OUT: $OUT begins with a ~, which nothing expands here; allowed: a path without it" ;;
esac
mkdir -p "$OUT" 2>/dev/null || refuse "OUT: the folder $OUT cannot be created; allowed: a new folder, or one that can be written to"

# The artefact's name is unique among the scenarios, jobs, matrix values and attempts of a workflow run. Names cannot contain
# a slash, among others: a name that had to be changed ends in a checksum, so that it stays unique.
if [ -z "$ARTIFACT" ]; then
	ARTIFACT=$OUT-$SCENARIO${GITHUB_JOB:+-$GITHUB_JOB}
	case $MATRIX in
	'' | null | '{}') ;;
	*) ARTIFACT+=-$(tr -d '{}" \n' <<<"$MATRIX") ;;
	esac
	if [ "${GITHUB_RUN_ATTEMPT:-1}" != 1 ]; then ARTIFACT+=-attempt-$GITHUB_RUN_ATTEMPT; fi
fi
plain=$(tr -cs 'A-Za-z0-9._-' - <<<"$ARTIFACT" | sed -e 's/^[.-]*//' -e 's/-*$//' | cut -c -100)
if [ "$plain" != "$ARTIFACT" ]; then plain+=-$(cksum <<<"$ARTIFACT$MATRIX" | cut -d ' ' -f 1); fi
ARTIFACT=$plain
if [ -n "${GITHUB_OUTPUT:-}" ]; then printf '%s\n' "artifact=$ARTIFACT" "folder=$OUT" "comment=$OUT/comment.md" >>"$GITHUB_OUTPUT"; fi

build() {
	make -C "$1" --no-print-directory build || {
		echo "ci.sh: cannot build pushbench in $1" >&2
		exit 1
	}
}

# resolve TREE prints the commit of BASELINE. A clone knows other branches only by the name of its origin.
resolve() { git -C "$1" rev-parse --verify --quiet "$BASELINE^{commit}" || git -C "$1" rev-parse --verify --quiet "origin/$BASELINE^{commit}"; }

# checkout_baseline writes the files of BASELINE to $base/tree. It clones, because the go command writes no commit into a build
# of a worktree (https://go.dev/issue/58218). GitHub downloads an action of another repository without .git, to a folder
# _actions/OWNER/NAME/REF: its commits are then those of that repository.
checkout_baseline() {
	local commit path
	export GIT_TERMINAL_PROMPT=0
	if [ -z "$REPOSITORY" ] && [ -e "$origin/.git" ]; then
		commit=$(resolve "$origin") || refuse "BASELINE: $BASELINE is no commit of $origin; allowed: a commit, branch or tag that is checked out (actions/checkout with fetch-depth: 0)"
		git clone --quiet --shared --no-checkout "$origin" "$base/tree"
	else
		if [ -z "$REPOSITORY" ]; then
			path=${SOURCE##*/_actions/}
			if [[ $path == "$SOURCE" || ! $path =~ ^([^/]+/[^/]+)/ ]]; then refuse "BASELINE: $SOURCE has no .git; allowed with REPOSITORY, the repository that has $BASELINE"; fi
			REPOSITORY=${GITHUB_SERVER_URL:-https://github.com}/${BASH_REMATCH[1]}
		fi
		git clone --quiet --no-checkout "$REPOSITORY" "$base/tree" || refuse "BASELINE: cannot clone $REPOSITORY; allowed: a repository that git can read without a password"
		commit=$(resolve "$base/tree") || refuse "BASELINE: $BASELINE is no commit of $REPOSITORY; allowed: a commit, branch or tag"
	fi
	git -C "$base/tree" checkout --quiet --detach "$commit"
}

# build_server SIDE FOLDER runs BUILD in a checkout of the server.
build_server() {
	echo "Building the $1's server in $2"
	(cd "$2" && bash -e -o pipefail -c "$BUILD") || {
		echo "ci.sh: BUILD failed for the $1" >&2
		annotate error <<<"BUILD failed for the $1"
		exit 5
	}
}

build "$SOURCE"
pushbench=$(cd "$SOURCE" && pwd)/bin/pushbench

flags=() plan=(--dry-run)
if [ -n "$TARGET" ]; then flags+=(--target "$TARGET"); fi
if [ -n "$BASELINE" ]; then
	checkout_baseline
	if [ -z "$TARGET" ]; then
		build "$base/tree"
		flags+=(--baseline "$base/tree/bin/pushbench")
	else
		if [ ! -e "$base/tree/$file" ]; then
			annotate warning <<<"BASELINE: $BASELINE has no $file: the file of the head describes both servers"
			mkdir -p "$(dirname "$base/tree/$file")"
			cp "$TARGET" "$base/tree/$file"
		fi
		flags+=(--baseline "$base/tree/$file")
	fi
	plan+=(--require-verdict)
	REPETITIONS=${REPETITIONS:-12}
fi
if [ -n "$REPETITIONS" ]; then flags+=(--repetitions "$REPETITIONS"); fi

# The plan, before anything is measured: how long it takes, and whether it can decide.
"$pushbench" run "${flags[@]}" "${plan[@]}" -- "$SCENARIO" >"$OUT/plan.txt" 2>&1 || {
	code=$?
	cat "$OUT/plan.txt" >&2
	annotate error <"$OUT/plan.txt"
	exit "$code"
}
cat "$OUT/plan.txt"
echo "An INVALID measurement is repeated once${BASELINE:+, and so is a regression, to confirm it}: each takes as long again."
grep -F 'The baseline is the same build' "$OUT/plan.txt" | annotate warning || true

if [ -n "$BUILD" ]; then
	if [ -n "$BASELINE" ]; then build_server baseline "$base/tree"; fi
	build_server head "$origin"
fi

# measure NAME REPORT FLAG... measures into OUT/NAME and returns pushbench's exit code. It repeats an INVALID run once and keeps the
# first as NAME-invalid.
measure() {
	local name=$1 report=$2 code again side
	shift 2
	for again in yes no; do
		code=0
		"$pushbench" run --out "$OUT/$name" --format markdown "${flags[@]}" "$@" -- "$SCENARIO" >"$OUT/$report" || code=$?
		if [ "$again" = no ] || ! grep -qs '^  "status": "INVALID"' "$OUT/$name/manifest.json" "$OUT/$name-baseline/manifest.json"; then break; fi
		{
			echo "The measurement was INVALID and is repeated."
			grep -m 1 '^- INVALID' "$OUT/$report" || true
		} | annotate warning
		for side in "" -baseline; do
			if [ -e "$OUT/$name$side" ]; then mv "$OUT/$name$side" "$OUT/$name-invalid$side"; fi
		done
	done
	if [ -e "$OUT/$name-invalid" ]; then printf '\n- The first measurement was INVALID and was repeated: see %s.\n' "$name-invalid" >>"$OUT/$report"; fi
	return "$code"
}

# compare_runs writes the comparison of runs to compared.md and comment.md and returns its exit code. If they cannot be compared,
# the files stay unchanged.
compare_runs() {
	local code=0
	"$pushbench" compare "$@" --format markdown --out "$OUT/compared" --junit "$OUT/junit-compared.xml" --comment "$OUT/comment.md" >"$OUT/compared.new" || code=$?
	case $code in
	0 | 4 | 8) mv "$OUT/compared.new" "$OUT/compared.md" ;;
	*) rm -f "$OUT/compared.new" ;;
	esac
	return "$code"
}

code=0
measure run summary.md --junit "$OUT/junit.xml" --comment "$OUT/comment.md" || code=$?
if [ ! -e "$OUT/run" ]; then
	text="Nothing was measured: pushbench run ended with exit code $code, see the log."
	echo "$text" >>"$OUT/summary.md"
	annotate error <<<"$text"
fi
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
		measure again again.md --seed 7919 || true # its assertions do not count
		compare_runs "$OUT/run-baseline" "$OUT/run" "$OUT/again-baseline" "$OUT/again" || again=$?
		case $again in
		0 | 4 | 8) found=$again ;;
		*) printf '\n- The second measurement, to confirm the regression, failed: see again.md.\n' | tee -a "$OUT/comment.md" >>"$OUT/compared.md" ;;
		esac
	fi
	if [ -e "$OUT/compared.md" ]; then # the absolute values before and after come first
		{
			cat "$OUT/comment.md"
			echo
			cat "$OUT/summary.md"
			echo
			cat "$OUT/compared.md"
		} >"$OUT/summary.new"
		mv "$OUT/summary.new" "$OUT/summary.md"
	fi
	case $found in
	0 | 4 | 8) ;;
	*)
		text="No comparison with the baseline: pushbench compare ended with exit code $found, see the log."
		printf '\n- %s\n' "$text" | tee -a "$OUT/comment.md" >>"$OUT/summary.md"
		annotate error <<<"$text"
		;;
	esac
	# A regression counts whatever the assertions' outcomes. Runs that cannot be compared count only if nothing else failed.
	case $found in
	0) ;;
	4) regression=4 ;;
	*) if [ "$code" = 0 ]; then code=$found; fi ;;
	esac
fi
result=${regression:-$code}

if [ -e "$OUT/comment.md" ]; then
	{
		echo "<!-- $ARTIFACT -->" # by which a workflow finds its earlier comment
		cat "$OUT/comment.md"
		if [ -n "${GITHUB_RUN_ID:-}" ]; then
			printf '\nThe whole report: artefact %s of [this workflow run](%s).\n' "$ARTIFACT" "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
		fi
	} >"$OUT/comment.new"
	mv "$OUT/comment.new" "$OUT/comment.md"
fi
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$OUT/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
grep -hE '^- (FAILED|INVALID|INTERRUPTED|OVERLOADED|Worse in B:)' "$OUT/summary.md" | annotate error || true
grep -hE '^- (UNDECIDED|Inconclusive|Worse in B,)' "$OUT/summary.md" | annotate warning || true

if [ -n "${regression:-}" ]; then exit "$regression"; fi
case $code in
4) if [ "$ASSERTIONS" != true ]; then code=0; fi ;;
8) if [ "$UNDECIDED" != true ]; then code=0; fi ;;
esac
exit "$code"
