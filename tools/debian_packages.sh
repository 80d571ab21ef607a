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
# The cluster of tests/chaos.
has ip || missing="$missing iproute2"
has rsync || missing="$missing rsync"
[ -e /usr/lib/galera/libgalera_smm.so ] || missing="$missing galera-4"
[ -e /usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1 ] || missing="$missing libfaketime"
has curl || missing="$missing curl"
# Shells that complete what is typed, and what looks over the units of deploy/systemd.
has zsh || missing="$missing zsh"
has fish || missing="$missing fish"
has systemd-analyze || missing="$missing systemd"
# The checker of markup runs in it.
has java || missing="$missing default-jre-headless"
# The one without a window takes a third less time; not every Debian has it.
if ! has chromium-headless-shell; then
    if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
        missing="$missing chromium-headless-shell"
    else
        has chromium || missing="$missing chromium"
    fi
fi
has node && has npm || missing="$missing nodejs npm"

# Installed, these would run as services, which listen: they are only unpacked.
unpacked=.cache/debian
unpack() { # PACKAGE PROGRAM
    has "$2" || [ -x "$unpacked/usr/bin/$2" ] && return
    command -v apt-get >/dev/null 2>&1 || return 0
    mkdir -p $unpacked
    (cd $unpacked &&
        { apt-get -qq download "$1" || { apt-get -qq update && apt-get -qq download "$1"; }; } &&
        dpkg-deb -x "$1"_*.deb . && rm "$1"_*.deb) 2>/dev/null ||
        echo "Could not fetch $1: what needs its $2 will not be tested." >&2
}
unpack_services() {
    unpack prometheus promtool
    # How one database node copies another.
    unpack mariadb-server wsrep_sst_rsync
}

if [ -z "$missing" ]; then
    unpack_services
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
unpack_services
