package wire

import (
	"net"
	"net/netip"
	"strings"
)

// hosts is what a request may name as its Host. A page whose name was rebound
// to our address still says its own name here, so a list of names is what
// stops it; ports may differ behind a NAT and are not looked at.
type hosts struct {
	listen  string
	literal bool // listening everywhere: any address, but no name
}

func allowHosts(a net.Addr) *hosts {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return &hosts{}
	}
	return &hosts{listen: tcp.IP.String(), literal: tcp.IP.IsUnspecified()}
}

func (h *hosts) allow(host string) bool {
	name := hostName(host)
	if strings.EqualFold(name, "localhost") || name == h.listen && name != "" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && (h.literal || ip.IsLoopback())
}

// hostName strips the port, and the brackets of an IPv6 address.
func hostName(host string) string {
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 || !portOrNothing(host[end+1:]) {
			return ""
		}
		return host[1:end]
	}
	name, port, found := strings.Cut(host, ":")
	if found && !portOrNothing(":"+port) {
		return ""
	}
	return name
}

func portOrNothing(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != ':' || len(s) < 2 || len(s) > 6 {
		return false
	}
	return strings.Trim(s[1:], "0123456789") == ""
}
