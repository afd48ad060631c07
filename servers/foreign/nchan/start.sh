#!/bin/sh
# Runs nginx with nchan on a port of the loopback address, in a folder that ends with it.
set -eu
modules=/usr/lib/nginx/modules/ngx_nchan_module.so
[ -e "$modules" ] || { echo "nchan is not installed: apt-get install -y nginx libnginx-mod-nchan" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed "s/PORT/$1/" nginx.conf.in >"$folder/nginx.conf"
nginx -p "$folder" -c nginx.conf &
trap 'kill $!; wait $!' TERM INT
wait $!
