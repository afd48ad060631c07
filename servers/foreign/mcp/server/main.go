// Command mcp is an MCP server (Streamable HTTP) on the Go SDK. A resource per topic; a publication is a logging
// notification to the sessions that subscribe to it.
package main

import (
	"context"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// topics are the sessions that subscribe to each resource.
type topics struct {
	mu       sync.Mutex // guards sessions
	sessions map[string]map[*mcp.ServerSession]bool
}

func (t *topics) subscribe(_ context.Context, r *mcp.SubscribeRequest) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sessions[r.Params.URI] == nil {
		t.sessions[r.Params.URI] = map[*mcp.ServerSession]bool{}
	}
	t.sessions[r.Params.URI][r.Session] = true
	return nil
}

func (t *topics) unsubscribe(_ context.Context, r *mcp.UnsubscribeRequest) error {
	t.remove(r.Params.URI, r.Session)
	return nil
}

func (t *topics) remove(uri string, s *mcp.ServerSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sessions[uri], s)
}

func (t *topics) subscribers(uri string) []*mcp.ServerSession {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.sessions[uri]))
}

func (t *topics) publish(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	topic := r.PathValue("topic")
	for _, s := range t.subscribers("topic://" + topic) {
		if err := s.Log(r.Context(), &mcp.LoggingMessageParams{Level: "info", Logger: topic, Data: string(payload)}); err != nil {
			t.remove("topic://"+topic, s) // the session has ended
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func main() {
	t := &topics{sessions: map[string]map[*mcp.ServerSession]bool{}}
	server := mcp.NewServer(&mcp.Implementation{Name: "pushbench", Version: "1"}, &mcp.ServerOptions{
		SubscribeHandler: t.subscribe, UnsubscribeHandler: t.unsubscribe, HasResources: true,
	})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{
		EventStore: mcp.NewMemoryEventStore(nil), // for Last-Event-ID
	})
	http.Handle("/mcp", handler)
	http.HandleFunc("POST /publish/{topic}", t.publish)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
