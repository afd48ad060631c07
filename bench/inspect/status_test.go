package inspect

import (
	"net/http"
	"strings"
	"testing"
)

// A status has its name of RFC 9110, which net/http does not know for four of them.
func TestStatusesHaveTheirNames(t *testing.T) {
	for status, want := range map[int]string{
		404: "404: Not Found (RFC 9110, section 15.5.5)",
		413: "413: Content Too Large (RFC 9110, section 15.5.14)",
		414: "414: URI Too Long (RFC 9110, section 15.5.15)",
		416: "416: Range Not Satisfiable (RFC 9110, section 15.5.17)",
		422: "422: Unprocessable Content (RFC 9110, section 15.5.21)",
		429: "429: Too Many Requests (RFC 6585, section 4)",
		431: "431: Request Header Fields Too Large (RFC 6585, section 5)",
		499: "499: counts as 400 (RFC 9110, section 15)",
	} {
		if got := meaning(status); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for status := range statuses {
		if http.StatusText(status) == "" || !strings.Contains(meaning(status), ": "+strings.TrimSpace(http.StatusText(status))) && renamed[status] == "" {
			t.Errorf("%d: %s", status, meaning(status))
		}
	}
}
