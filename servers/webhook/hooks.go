package webhook

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"sync"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// MaxHooks bounds the webhooks of a server: each uses a goroutine and a connection.
const MaxHooks = 10_000

// maxURL bounds the URL of a webhook, in bytes: a server with MaxHooks of them uses several copies of each.
const maxURL = 2 << 10

// Hooks are the webhooks of a service: one per URL.
type Hooks struct {
	service *wire.Service
	allowed []netip.Prefix
	batches *wire.Cache[[]byte]
	dial    dial

	ctx    context.Context
	cancel context.CancelFunc
	posts  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	hooks  map[string]*hook
	closed bool
}

// Enable allows a service webhooks at the given networks. Call it before
// the service's edge serves, and Close when the edge has ended.
func Enable(s *wire.Service, allowed []netip.Prefix) *Hooks {
	h := &Hooks{service: s, allowed: allowed, hooks: make(map[string]*hook)}
	h.batches = wire.NewCache(s.Hub, func(body []byte, _ hub.Cursor) []byte { return body })
	h.dial = newDial(h.allows)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	s.Webhooks = h.register
	return h
}

// Close ends all webhooks and waits for them.
func (h *Hooks) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.posts.Wait()
}

func (h *Hooks) allows(a netip.Addr) bool {
	return slices.ContainsFunc(h.allowed, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// register starts a webhook and replaces the one with the same URL, if any.
func (h *Hooks) register(target string, sub *wire.Subscribe) (httpstack.Response, error) {
	if err := h.check(target); err != nil {
		return httpstack.Response{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	previous := h.hooks[target]
	switch {
	case h.closed, previous == nil && len(h.hooks) >= MaxHooks:
		return httpstack.Response{}, wire.ErrHooksFull
	case previous != nil:
		previous.cancel()
	}
	body := h.service.Resume(sub)
	k := &hook{hooks: h, url: target, client: newClient(h.dial), cursor: sub.After, delivery: sub.Delivery, news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(h.ctx)
	k.cancel = cancel
	k.follow = h.service.Hub.Subscribe(sub.Set, k)
	h.hooks[target] = k
	h.service.Count.Hooks.Do(func(n *wire.HookStats) { n.Registered++ })
	h.posts.Go(func() { h.service.GuardSubscription(k, func() { k.run(ctx) }) })
	return h.service.Batch(body), nil
}

// check refuses all but http://ADDRESS:PORT/PATH with an allowed address. It refuses names
// because their address can change.
func (h *Hooks) check(target string) error {
	if len(target) > maxURL {
		return wire.ErrHookURL
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return wire.ErrHookURL
	}
	at, err := netip.ParseAddrPort(u.Host)
	switch {
	case err != nil || at.Port() == 0:
		return wire.ErrHookURL
	case !h.allows(at.Addr()):
		return wire.ErrHookTarget
	}
	return nil
}

// remove removes a webhook that has ended, unless another has replaced it.
func (h *Hooks) remove(k *hook) {
	k.cancel()
	k.follow.Close()
	k.client.CloseIdleConnections()
	h.service.Count.Hooks.Do(func(n *wire.HookStats) { n.Registered-- })
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hooks[k.url] == k {
		delete(h.hooks, k.url)
	}
}
