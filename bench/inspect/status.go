package inspect

import (
	"cmp"
	"fmt"
	"net/http"
)

// statuses have the clause of each status.
var statuses = map[int]string{
	200: "15.3.1", 201: "15.3.2", 202: "15.3.3", 203: "15.3.4", 204: "15.3.5", 205: "15.3.6", 206: "15.3.7",
	300: "15.4.1", 301: "15.4.2", 302: "15.4.3", 303: "15.4.4", 304: "15.4.5", 307: "15.4.8", 308: "15.4.9",
	400: "15.5.1", 401: "15.5.2", 402: "15.5.3", 403: "15.5.4", 404: "15.5.5", 405: "15.5.6", 406: "15.5.7", 407: "15.5.8",
	408: "15.5.9", 409: "15.5.10", 410: "15.5.11", 411: "15.5.12", 412: "15.5.13", 413: "15.5.14", 414: "15.5.15", 415: "15.5.16",
	416: "15.5.17", 417: "15.5.18", 421: "15.5.20", 422: "15.5.21", 426: "15.5.22",
	500: "15.6.1", 501: "15.6.2", 502: "15.6.3", 503: "15.6.4", 504: "15.6.5", 505: "15.6.6",
}

// renamed are the names of statuses for which net/http has an older one.
var renamed = map[int]string{413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}

// otherStatuses are the ones of other standards.
var otherStatuses = map[int]string{
	207: "RFC 4918, section 11.1", 208: "RFC 5842, section 7.1", 226: "RFC 3229, section 10.4.1",
	423: "RFC 4918, section 11.3", 424: "RFC 4918, section 11.4", 425: "RFC 8470, section 5.2", 428: "RFC 6585, section 3",
	429: "RFC 6585, section 4", 431: "RFC 6585, section 5", 451: "RFC 7725, section 3",
	506: "RFC 2295, section 8.1", 507: "RFC 4918, section 11.5", 508: "RFC 5842, section 7.2", 511: "RFC 6585, section 6",
}

// meaning returns what a status means, with the clause. An unknown status counts as the first of
// its class (RFC 9110, section 15).
func meaning(status int) string {
	if section, known := statuses[status]; known {
		return fmt.Sprintf("%d: %s (RFC 9110, section %s)", status, cmp.Or(renamed[status], http.StatusText(status)), section)
	}
	if clause, known := otherStatuses[status]; known {
		return fmt.Sprintf("%d: %s (%s)", status, http.StatusText(status), clause)
	}
	return fmt.Sprintf("%d: counts as %d (RFC 9110, section 15)", status, status/100*100)
}
