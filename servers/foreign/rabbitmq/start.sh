#!/bin/sh
# Runs RabbitMQ with its STOMP plugin for WebSocket on a port of the loopback address, in a folder that
# ends with it.
set -eu
server=/usr/lib/rabbitmq/bin/rabbitmq-server
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/rabbitmq.conf" <<END
listeners.tcp = none
stomp.listeners.tcp = none
web_stomp.tcp.ip = 127.0.0.1
web_stomp.tcp.port = $1
web_stomp.ws_frame = text
log.console = true
log.console.level = error
log.file = false
END
echo '[rabbitmq_web_stomp].' >"$folder/plugins"
# The port between nodes, and that of a port mapper (epmd) which ends with this server alone, are below those that Linux gives
# to connections, so that no connection has taken them.
export HOME="$folder" ERL_CRASH_DUMP="$folder/erl_crash.dump" RABBITMQ_NODENAME="pushbench$1@localhost" RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins" \
	RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_PID_FILE="$folder/pid" RABBITMQ_DIST_PORT=$((10000 + $1 % 5000)) \
	ERL_EPMD_PORT=$((15000 + $1 % 5000)) ERL_EPMD_ADDRESS=127.0.0.1
"$server" &
trap 'kill $!; wait $!' TERM INT
wait $!
