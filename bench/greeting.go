package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A greeting is a server's first line.
type greeting struct {
	Listening string `json:"listening"`
	Settings  string `json:"settings"`

	Certificate string `json:"certificate"` // by which a server with TLS is known, PEM
}

// greeted waits until a server says where it listens.
func greeted(ctx context.Context, server *process) (greeting, error) {
	said := make(chan greeting, 1)
	go func() {
		_ = lines(server.stdout, func(line json.RawMessage) error {
			var g greeting
			if json.Unmarshal(line, &g) == nil && g.Listening != "" {
				said <- g
			}
			return errors.New("that was all")
		})
	}()
	select {
	case g := <-said:
		return g, nil
	case <-time.After(startWait):
		return greeting{}, fmt.Errorf("server did not say where it listens within %v", startWait)
	case <-ctx.Done():
		return greeting{}, context.Cause(ctx)
	}
}
