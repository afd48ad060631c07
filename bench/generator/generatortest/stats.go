package generatortest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// A StatsServer is a PollServer with the additional endpoints that a run requires.
type StatsServer struct {
	PollServer
	Accepted atomic.Int64
	Hidden   int64 // requests that no client sent
	Exits    bool  // on the first publish
	created  sync.Map
}

func (s *StatsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/v1/healthz":
		fmt.Fprint(w, `{"status":"ok"}`)
	case r.URL.Path == "/v1/stats":
		s.Mu.Lock()
		defer s.Mu.Unlock()
		fmt.Fprintf(w, `{"accepted":%d,"requests":{"poll":%d,"publish":%d,"stats":9,"healthz":9,"total":99},"goroutines":7}`,
			s.Accepted.Load(), int64(s.Polls)+s.Hidden, s.Posts)
	case r.Method == http.MethodPut:
		if _, twice := s.created.LoadOrStore(r.URL.Path, true); twice {
			w.WriteHeader(http.StatusConflict)
		}
	case s.Exits && r.Method == http.MethodPost:
		fmt.Fprintln(os.Stderr, "out of memory")
		os.Exit(3)
	default:
		s.PollServer.ServeHTTP(w, r)
	}
}

// Serve is a minimal `serve --control`. opened is called for each connection, and every command is answered with the reply.
// greeting is a part of the first line.
func (s *StatsServer) Serve(greeting string, opened func(), reply string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: s, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.Accepted.Add(1)
			opened()
		}
	}}
	go func() { _ = server.Serve(ln) }()
	fmt.Printf("{\"listening\":%q,%s}\n", ln.Addr(), greeting)
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		debug.FreeOSMemory()
		fmt.Println(reply)
	}
	server.Close()
}
