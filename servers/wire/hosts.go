package wire

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"pushbench/servers/wire/httpstack"
)

// Access lists who else may use a server, apart from programs and pages of this machine's names. The zero value
// allows nothing more.
type Access struct {
	Hosts   []string // names by which requests may address the server, without port; a proxy may add TLS
	Origins []string // origins of pages, such as https://app.example
}

// hosts is the list of names allowed as a request's Host. It prevents DNS rebinding: a page whose
// name was rebound to this server's address still sends its own name. Ports may differ behind a
// NAT and are ignored.
type hosts struct {
	public  []string // Access.Hosts
	listen  string
	literal bool // listening on all addresses: any address, but no name
}

func allowHosts(a net.Addr, public []string) *hosts {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return &hosts{public: public}
	}
	return &hosts{public: public, listen: tcp.IP.String(), literal: tcp.IP.IsUnspecified()}
}

func (h *hosts) allow(host string) bool {
	name := (&url.URL{Host: host}).Hostname() // without the port, and the brackets of an IPv6 address
	if strings.EqualFold(name, "localhost") || name == h.listen && name != "" || h.isPublic(name) {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && (h.literal || ip.IsLoopback())
}

func (h *hosts) isPublic(name string) bool {
	return slices.ContainsFunc(h.public, func(p string) bool { return strings.EqualFold(p, name) })
}

// origin returns the origin of the page that sends a request, if it is in Access.Origins; "" for programs and for this
// server's own pages. All others are refused, also if the browser sends no Origin, as for an image: a page could
// otherwise create topics, although it cannot read the responses.
func (s *Service) origin(r *httpstack.Request) (string, *Error) {
	switch {
	case len(r.Origins) > 1:
		return "", errForeignOrigin
	case len(r.Origins) == 0:
		switch r.FetchSite {
		case "", "same-origin", "none":
			return "", nil
		}
		return "", errForeignOrigin
	}
	scheme, host, _ := strings.Cut(r.Origins[0], "://")
	if host == r.Host && (scheme == s.scheme() || scheme == "https" && s.hosts.Load().isPublic((&url.URL{Host: host}).Hostname())) {
		return "", nil
	}
	if i := slices.Index(s.Access.Origins, r.Origins[0]); i >= 0 {
		return s.Access.Origins[i], nil // r's own text is valid until the response only
	}
	return "", errForeignOrigin
}
