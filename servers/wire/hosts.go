package wire

import (
	"net"
	"net/netip"
	"net/url"
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
	name := (&url.URL{Host: host}).Hostname() // without the port, and the brackets of an IPv6 address
	if strings.EqualFold(name, "localhost") || name == h.listen && name != "" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && (h.literal || ip.IsLoopback())
}
