#!/usr/bin/env bash
# apt.sh PACKAGE... installs Debian packages. Without the rights it prints the command to run and fails.
set -euo pipefail

if [ $# = 0 ]; then exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "apt.sh: installing packages needs root; on Debian: sudo apt-get install $*" >&2
	exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates "$@"
