package report

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
)

// maxWords is the length of the longest sentence that a report may print.
const maxWords = 20

var (
	sentenceEnd = regexp.MustCompile(`[.!?](?:\s+|$)`)
	// valueLists are exempt: they list a value per configuration or per name, separated by dots or commas.
	valueLists = regexp.MustCompile(`^(?:Available: |server \+ generator, |expected = |planned = )`)
)

// longSentences are the sentences of a text that have more than maxWords words. A number is not a word.
func longSentences(text string) (long []string) {
	for _, sentence := range sentenceEnd.Split(text, -1) {
		words := slices.DeleteFunc(strings.Fields(sentence), func(word string) bool { return !strings.ContainsFunc(word, unicode.IsLetter) })
		if len(words) > maxWords && !valueLists.MatchString(sentence) {
			long = append(long, sentence)
		}
	}
	return long
}

// proseOf is the prose of a golden file: the sentences of a text file; the sentences and notes of a
// Markdown file, but not its headings, its tables, and the question that the scenario asks. Items of lists
// are values, not sentences.
func proseOf(name, content string) (lines []string) {
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\n")
		if filepath.Ext(name) == ".md" {
			if line != "" && strings.ContainsRune("#|> ", rune(line[0])) {
				continue
			}
			line = strings.ReplaceAll(strings.TrimPrefix(line, "- "), `\`, "")
		}
		switch {
		case strings.HasPrefix(line, item):
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

func TestSentencesAreShort(t *testing.T) {
	var names []string
	for _, pattern := range []string{"*.md"} {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		names = append(names, found...)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range proseOf(name, string(content)) {
			for _, long := range longSentences(line) {
				t.Errorf("%s: more than %d words: %s", name, maxWords, long)
			}
		}
	}
}

// TestNotesAndAccountsAreShort covers the tables and parts that no golden file contains.
func TestNotesAndAccountsAreShort(t *testing.T) {
	near := synthetic.Run(4, time.Second)
	near.Manifest.RTT, near.Manifest.Network = 0, results.Loopback
	var lines []string
	for _, run := range []*results.Run{near, synthetic.Run(1, time.Second), batchingSweep(4), synthetic.Sweep(12, time.Second, bothLibraries, []time.Duration{0})} {
		r := New(run)
		for _, s := range r.Document().Sections {
			lines = append(lines, s.notes()...)
			for _, p := range s.Paragraphs {
				lines = append(lines, p.Text)
			}
		}
	}
	c, err := Compare(near, near)
	if err != nil {
		t.Fatal(err)
	}
	search := Capacity{results.Capacity{Axis: "rate", Scenario: "chat", Found: []results.Highest{{Transport: "sse"}}}}
	lines = append(lines, c.others().Note, search.section().Note, search.evidence())
	for _, line := range append(lines, search.Document().Sentences()...) {
		if strings.HasPrefix(line, item) {
			continue
		}
		for _, long := range longSentences(line) {
			t.Errorf("more than %d words: %s", maxWords, long)
		}
	}
}

// Sentences of earlier versions prove that the tests above can fail.
func TestLongSentenceIsFound(t *testing.T) {
	for _, old := range []string{
		"This holds for 20 clients, 100 messages a second published and 2,000 delivered, payloads of 120 B, a round trip of 20 ms (home), and the reference stack.",
		"Needs: longpoll, sse and websocket meet p(99) < 500ms and lost == 0 (whether shortpoll meets p(99) < 500ms is open: latency p99: 240 independent observations in block 1, latency p99 needs 1,000).",
	} {
		for _, file := range []struct{ name, content string }{
			{"sentences-old.txt", "ESTIMATE: fastest is SSE.\n" + old + "\n"},
			{"summary-old.md", "# chat: COMPLETE\n\n- ESTIMATE: fastest is SSE.\n- " + old + "\n"},
			{"summary-old.md", "| a | b |\n\n" + old + "\n"},
		} {
			t.Run(file.name, func(t *testing.T) {
				var long []string
				for _, line := range proseOf(file.name, file.content) {
					long = append(long, longSentences(line)...)
				}
				if len(long) != 1 {
					t.Errorf("found %d long sentences, want 1: %q", len(long), file.content)
				}
			})
		}
	}
}

func TestAlternativesAreJoinedWithOr(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := choices(words); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
