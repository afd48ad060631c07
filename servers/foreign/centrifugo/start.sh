#!/bin/sh
# Runs Centrifugo on a port of the loopback address.
set -eu
PATH=$PATH:$(go env GOPATH)/bin
command -v centrifugo >/dev/null || { echo "Centrifugo is not installed: go install github.com/centrifugal/centrifugo/v6@v6.9.1" >&2; exit 1; }
CENTRIFUGO_HTTP_SERVER_PORT=$1 exec centrifugo --config config.json
