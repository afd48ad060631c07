#!/bin/sh
# Runs mosquitto with a WebSocket listener on a port of the loopback address.
set -eu
PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# mosquitto 2.0.11 exits without a listener of another kind, hence the first one.
cat >"$folder/mosquitto.conf" <<END
listener 0 $folder/unused
listener $1 127.0.0.1
protocol websockets
socket_domain ipv4
user root
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 0
log_dest stderr
log_type error
END
mosquitto -c "$folder/mosquitto.conf" &
trap 'kill $!; wait $!' TERM INT
wait $!
