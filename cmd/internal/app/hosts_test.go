package app

import "testing"

func TestOnlyLimitsThatExistAreNamed(t *testing.T) {
	for want, l := range map[string]HostLoad{
		"": {},
		", up to 2,000 connections, 2,000 new connections per second, 10,000 messages per second": DefaultHostLimits,
	} {
		if got := l.upTo(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
