#!/bin/sh
# Runs nginx with nchan on a port of the loopback address, in a folder that ends with it.
set -eu
PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed "s/PORT/$1/" nginx.conf.in >"$folder/nginx.conf"
nginx -p "$folder" -c nginx.conf &
trap 'kill $!; wait $!' TERM INT
wait $!
