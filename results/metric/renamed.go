package metric

import "regexp"

// renamed maps former words of assertions, and of the values in them, to the current ones: the names
// of metrics, and of the axes in the names of configurations. Scenario files and run folders of
// format version 1 have the former words.
var renamed = map[string]string{
	"stack=": "library=",
	"flush=": "batching_delay=",

	"answer":             "reply", // as in "answer p(99)"
	"answer_p":           "reply_p",
	"answer_p50":         ReplyP50,
	"answer_p99":         ReplyP99,
	"answers_lost":       RepliesLost,
	"owed":               Expected,
	"empty_answer_share": EmptyResponseShare,
	"visitors_unheard":   ShortLivedWithoutMessage,
	"visitors_ready_p50": ShortLivedReadyP50,
}

// words matches the words of an assertion. An axis ends with its equals sign.
var words = regexp.MustCompile(`\b(?:stack|flush)=|[a-z_][a-z0-9_]*`)

// CurrentNames replaces the former words in an assertion, in the name of a metric or in that of a
// configuration.
func CurrentNames(text string) string {
	return words.ReplaceAllStringFunc(text, func(word string) string {
		if now, old := renamed[word]; old {
			return now
		}
		return word
	})
}

// Renamed lists the former words in a text, each with the current one.
func Renamed(text string) (all [][2]string) {
	for _, word := range words.FindAllString(text, -1) {
		if now, old := renamed[word]; old {
			all = append(all, [2]string{word, now})
		}
	}
	return all
}
