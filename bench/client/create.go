package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"pushbench/bench/consent"
)

// CreateTopics creates the topics of a target that requires it, one after another. Its
// requests are not counted.
func CreateTopics(ctx context.Context, config *Config, topics []string) error {
	c := consent.Client(config.Target, config.TLS)
	c.Timeout = DialTimeout
	defer c.CloseIdleConnections()
	scheme := "http://"
	if config.TLS != nil {
		scheme = "https://"
	}
	for _, topic := range topics {
		create, required := config.Dialect.Creates(topic)
		if !required {
			return nil
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPut, scheme+cmp.Or(config.Authority, config.Target)+create.Path, nil)
		if err != nil {
			return fmt.Errorf("create topic %s: %w", topic, withoutURL(err))
		}
		request.Header = create.Header
		response, err := c.Do(request)
		if err != nil {
			return fmt.Errorf("create topic %s: %w", topic, withoutURL(err))
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
		response.Body.Close()
		if response.StatusCode/100 != 2 {
			return fmt.Errorf("create topic %s: %s", topic, config.Dialect.Mask(fmt.Appendf(nil, "PUT %s returned status %s", create.Path, response.Status)))
		}
	}
	return nil
}

// withoutURL removes the URL from an error: it may contain the value of an environment variable.
func withoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
