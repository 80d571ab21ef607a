#!/bin/sh
# Installs the programs that tests talk to, where it may (root on Debian). Elsewhere the tests
# that need them are skipped and say so; with CI=true they fail instead.
set -eu

missing=
has() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1
}
# The core package has the server without the service: nothing starts by itself on port 3306.
has mariadbd && has mariadb-install-db || missing="$missing mariadb-server-core mariadb-client-core"
has haproxy || missing="$missing haproxy"
has curl || missing="$missing curl"
has chromium || missing="$missing chromium"
has node && has npm || missing="$missing nodejs npm"

# Installed, it would run as a service that listens on every address: it is only unpacked.
unpacked=.cache/debian
unpack_prometheus() {
    has promtool || [ -x $unpacked/usr/bin/promtool ] && return
    command -v apt-get >/dev/null 2>&1 || return 0
    mkdir -p $unpacked
    (cd $unpacked &&
        { apt-get -qq download prometheus || { apt-get -qq update && apt-get -qq download prometheus; }; } &&
        dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb) 2>/dev/null ||
        echo "Could not fetch prometheus: its rules will not be tested." >&2
}

if [ -z "$missing" ]; then
    unpack_prometheus
    exit 0
fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed, and only root on Debian may install them:$missing" >&2
    echo "Tests that need them will be skipped." >&2
    exit 0
fi
echo "Installing$missing ..."
# shellcheck disable=SC2086 # a list of names
if ! { apt-get -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null; }; then
    echo "Could not install$missing: tests that need them will be skipped." >&2
fi
unpack_prometheus
