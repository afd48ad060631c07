#!/usr/bin/env bash
# apt.sh PACKAGE... installs Debian packages, or prints how to and fails. Without a package it does nothing.
set -euo pipefail

if [ $# = 0 ]; then exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "apt.sh: only an administrator can install packages; on Debian: sudo apt-get install $*" >&2
	exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates "$@"
