//go:build !race

// The race detector makes these tests take ten times as long: they read every file, and use no goroutine.

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// replaced lists the words that pushbench no longer uses in text that people read, and the
// standard term for each. Terms of our own have a line in docs/glossary.md.
var replaced = []struct {
	old  string // regular expression, in lower case
	say  string
	ours bool   // say is a term of our own
	was  string // a sentence that must be refused
}{
	{`\b(told|tells?) (\w+ )?apart\b`, "distinguishable", true, "WebSocket and SSE cannot be told apart by cost."},
	{`\bsoonest\b`, "fastest", false, "SSE, the soonest of the three cheapest, stays within it."},
	{`\bdear(er|est)?\b`, "expensive", false, "It tells cheap from dear."},
	{`\bblocks?\b`, "repetition", true, "No verdict: 4 of the 8 valid blocks that a verdict needs."},
	{`\b(every|each|per|measured|a) cases?\b|\bcases (are|of)\b`, "configuration", true, "A repetition measures every case once."},
	{`\bgate[sd]?\b`, "validity check", true, "Its lateness is gated."},
	{`\bvoid(s|ed)?\b`, "invalid", false, "A trial that fails one is void."},
	{`\bspoil(s|t|ed)?\b`, "corrupt", false, "A trial that was spoilt for it."},
	{`\bstacks?\b`, "library", true, "Compare several stacks."},
	{`\brigs?\b`, "test setup", false, "The rig was the limit."},
	{`\bclaim(s|ed)?\b`, "assertion", true, "Claims: all 21 hold, each transport by itself."},
	{`\b(meets?|every|all|no) needs?\b|\bneeds:`, "requirement", true, "Found to meet every need."},
	{`\bslo\b`, "requirement", true, "No transport meets the SLO."},
	{`\bfreshness\b`, "age of information", true, "Superseded messages count in freshness."},
	{`\bowe[sd]?\b`, "expected", true, "Every client is owed each message."},
	{`\bflush windows?\b`, "batching delay", true, "What a flush window does."},
	{`\bre-?arm(s|ed|ing)?\b`, "re-poll gap", true, "It follows from rate and re-arm gap."},
	{`\bheads\b`, "headers", false, "Polls with 909 bytes of heads."},
	{`\bliars?\b|\blying\b|\ba lie\b|--lie\b`, "fault injection", true, "What a lying server loses is counted."},
	{`\bst(and|ands|ood|anding) still\b|\bstandstills?\b`, "CPU stall", true, "A server that stands still for a second."},
	{`\bawake\b|\blet-sleep\b|\bkeepers?\b`, "idle states", false, "Do not keep the cores awake."},
	{`\bbeside\b`, "baseline", true, "Another build, measured beside these servers."},
	{`\breporters?\b`, "publish-only client", true, "Reporters only publish."},
	{`\bvisitors?\b`, "short-lived client", true, "Visitors that heard nothing."},
	{`\bpatience\b|\bin vain\b`, "timed out", false, "A client waited in vain."},
	{`\btheor(y|ies)\b`, "predicted", false, "What theory says, what was measured."},
	{`\bobituary\b|\bsurroundings\b`, "exit reason", false, "The obituary of a child."},
	{`\btold\b|\btells?\b`, "reported", false, "The server is told to stop."},
	{`\b(some|no|any|every)body\b|\bwhom\b`, "no client", false, "Nobody asks for it."},
	{`\bask(s|ed|ing)?\b`, "request", false, "A poll that asks too often."},
	{`\bwire bytes\b`, "bytes on the wire", true, "Wire bytes a message."},
	{`\b(cpu|bytes|requests|messages|memory|µs|kib|b|deliveries|polls|publications) an? (message|client|second|host|batch|delivery|request|repetition)\b`, "per", false, "Server CPU a message."},
	{`\bfor ever\b|\bonce more\b|\bkeeps? to\b`, "always, again, meets", false, "The highest load at which it keeps to a limit."},
	{`\bis worth\b`, "suitable", false, "What this machine is worth as an instrument."},
}

// allowed are texts that use a replaced word on purpose.
var allowed = []struct {
	file string // suffix of the path; empty: any
	text string // part of the text; empty: all of the file
	why  string
}{
	{"CHANGELOG.md", "`", "lists deprecated names, and names that files keep"},
	{"CHANGELOG.md", "(was ", "lists renamed terms"},
	{"CHANGELOG.md", "(owed)", "lists renamed terms"},
	{"CHANGELOG.md", "(theory)", "lists renamed terms"},
	{"results/version1.go", "", "names of format version 1"},
	{".html", "{", "CSS"},
	{".md", "What it does not tell", "a heading that readers know"},
	{"docs/method.md", "heap and stacks", "memory of a process"},
	{"docs/cli.md", "Deprecated names", "lists deprecated names"},
	{"servers/PROTOCOL.md", "heads", "a field of the contract"},
	{"results/report/testdata/report.html", "the Software", "the licence of uPlot"},
	{"results/report/testdata/report.html", "LIABLE", "the licence of uPlot"},
}

// TestReplacedWordsAreRefusedInAllText shows that each row of replaced refuses an old sentence.
func TestReplacedWordsAreRefusedInAllText(t *testing.T) {
	for _, r := range replaced {
		if !regexp.MustCompile(r.old).MatchString(strings.ToLower(r.was)) {
			t.Errorf("%s does not refuse %q", r.old, r.was)
		}
	}
}

// TestAllTextHasTermsOfTheGlossary requires a line for each of them.
func TestAllTextHasTermsOfTheGlossary(t *testing.T) {
	glossary := strings.ToLower(readPage(t, "docs/glossary.md"))
	for _, r := range replaced {
		if r.ours && !strings.Contains(glossary, strings.ToLower(r.say)) {
			t.Errorf("docs/glossary.md does not define %q", r.say)
		}
	}
}

// TestAllTextUsesStandardTerms reads every string of the program, every page, every scenario and
// every expected output.
func TestAllTextUsesStandardTerms(t *testing.T) {
	var patterns []*regexp.Regexp
	var olds []string
	for _, r := range replaced {
		patterns, olds = append(patterns, regexp.MustCompile(r.old)), append(olds, r.old)
	}
	some := regexp.MustCompile(strings.Join(olds, "|")) // hardly any text matches, so one pass is enough for most
	used := make([]bool, len(allowed))
	clean := map[string]bool{} // expected outputs repeat their lines
	check := func(path, position, text string) {
		lower := strings.ToLower(text)
		if clean[lower] || !some.MatchString(lower) {
			clean[lower] = true
			return
		}
		for i, pattern := range patterns {
			found := pattern.FindString(lower)
			if found == "" {
				continue
			}
			excused := false
			for j, a := range allowed {
				if strings.HasSuffix(path, a.file) && strings.Contains(text, a.text) {
					excused, used[j] = true, true
				}
			}
			if !excused {
				t.Errorf("%s: %q: say %q: %s", position, found, replaced[i].say, text)
			}
		}
	}
	root := moduleRoot(t)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		switch {
		case d.IsDir() && (name == ".git" || name == "bin" || name == "dist" || name == "results/runs" || name == "results/reference" || name == "tools/perf" || d.Name() == "uplot" || d.Name() == "node_modules" || d.Name() == "fuzz" || d.Name() == "rapid" || name == "scenarios/testdata"):
			return filepath.SkipDir
		case d.IsDir() || strings.HasSuffix(name, "_test.go"):
			return nil
		case strings.HasSuffix(name, ".go"):
			return literals(path, name, check)
		case strings.HasSuffix(name, ".md"), strings.HasSuffix(name, ".html"), strings.HasPrefix(name, "scenarios/") && strings.HasSuffix(name, ".yaml"), strings.HasPrefix(name, "results/report/testdata/") && strings.HasSuffix(name, ".txt"):
			text, err := os.ReadFile(path)
			for i, line := range strings.Split(string(text), "\n") {
				check(name, name+":"+strconv.Itoa(i+1), line)
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for j, a := range allowed {
		if !used[j] {
			t.Errorf("nothing uses the exception for %q in %q", a.text, a.file)
		}
	}
}
