package wire

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// hosts is the list of names allowed as a request's Host. It prevents DNS rebinding: a page whose
// name was rebound to this server's address still sends its own name. Ports may differ behind a
// NAT and are ignored.
type hosts struct {
	listen  string
	literal bool // listening on all addresses: any address, but no name
}

func allowHosts(a net.Addr) *hosts {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return &hosts{}
	}
	return &hosts{listen: tcp.IP.String(), literal: tcp.IP.IsUnspecified()}
}

func (h *hosts) allow(host string) bool {
	name := (&url.URL{Host: host}).Hostname() // without the port, and the brackets of an IPv6 address
	if strings.EqualFold(name, "localhost") || name == h.listen && name != "" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && (h.literal || ip.IsLoopback())
}
