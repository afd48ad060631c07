#!/bin/sh
# Runs nats-server with a WebSocket listener on a port of the loopback address.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/nats.conf" <<END
listen: "127.0.0.1:-1"
websocket { listen: "127.0.0.1:$1", no_tls: true }
max_payload: 1MB
END
./nats-server -c "$folder/nats.conf" &
trap 'kill $!; wait $!' TERM INT
wait $!
