package inspect

import (
	"fmt"
	"strconv"
	"strings"
)

// checkExtensions checks the extensions that a server selects from an offer of permessage-deflate
// without parameters.
func checkExtensions(value string, offered bool) string {
	if !offered {
		return "not offered: the client must fail the connection (RFC 6455, section 9.1)"
	}
	all := strings.Split(value, ",")
	if len(all) > 1 && hasEmpty(value) {
		return emptyElement
	}
	if len(all) > 1 {
		return "one extension was offered, and the server selects several (RFC 6455, section 9.1)"
	}
	parts := strings.Split(all[0], ";")
	if trimOWS(parts[0]) != "permessage-deflate" {
		return "not offered: the client must fail the connection (RFC 6455, section 9.1)"
	}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, hasValue := strings.Cut(part, "=")
		name, value = trimOWS(name), trimOWS(value)
		if seen[name] {
			return fmt.Sprintf("the parameter %s appears twice (RFC 7692, section 7.1)", cutText(name))
		}
		seen[name] = true
		if why := checkParameter(name, value, hasValue); why != "" {
			return why
		}
	}
	return ""
}

// windowBits returns server_max_window_bits, or its default (RFC 7692, section 7.1.2.1).
func windowBits(extensions string) int {
	value, _ := parameter(extensions, "server_max_window_bits")
	if bits, err := strconv.Atoi(value); err == nil && 8 <= bits && bits <= 15 {
		return bits
	}
	return 15
}

// checkParameter checks a parameter of permessage-deflate in a response.
func checkParameter(name, value string, hasValue bool) string {
	switch name {
	case "server_no_context_takeover", "client_no_context_takeover":
		if hasValue {
			return name + " has no value (RFC 7692, section 7.1.1)"
		}
		return ""
	case "client_max_window_bits":
		return name + " must not be selected, as it was not offered (RFC 7692, section 7.1.2.2)"
	case "server_max_window_bits":
		value = unquote(value)
		bits, err := strconv.Atoi(value)
		if err != nil || bits < 8 || bits > 15 || value != strconv.Itoa(bits) {
			return fmt.Sprintf("%s is %q; allowed: 8 to 15 (RFC 7692, section 7.1.2.1)", name, cutText(value))
		}
		return ""
	}
	return fmt.Sprintf("the parameter %q is not defined (RFC 7692, section 7.1)", cutText(name))
}
