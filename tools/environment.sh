#!/bin/sh
# Makes the virtual environment `.venv`, or brings it up to date. Does nothing, quickly, when
# setup.cfg, pyproject.toml, what the web page takes from npm and its translations have not changed
# since.
#
#   tools/environment.sh run    what the programs need
#   tools/environment.sh test   that, and what checks and tests need
set -eu
cd "$(dirname "$0")/.."

wanted=${1:-run}
case $wanted in
    run) what=. ;;
    test) what='.[test]' ;;
    *) echo "environment.sh: '$wanted' is not one of: run, test" >&2; exit 2 ;;
esac

digest=$(cat setup.cfg pyproject.toml webui/package-lock.json tools/web_assets.py webui/locale/*.po |
    cksum)
is_current() {
    [ "$(cat ".venv/.made-for-$1" 2>/dev/null)" = "$digest" ] &&
        [ "$(cat .venv/.made-in)" = "$(pwd)" ] && [ -e webui/static/vendor/made-for.txt ]
}
if is_current "$wanted" || { [ "$wanted" = run ] && is_current test; }; then
    exit 0
fi

# Two makes at once must not install over each other.
mkdir -p .cache
if command -v flock >/dev/null 2>&1 && [ -z "${MDS_ENVIRONMENT_LOCKED:-}" ]; then
    MDS_ENVIRONMENT_LOCKED=1 exec flock .cache/environment.lock "$0" "$wanted"
fi

find_python() {
    for python in "${PYTHON:-}" python3.11 python3.12 python3.13 python3 /usr/bin/python3; do
        if [ -n "$python" ] && command -v "$python" >/dev/null 2>&1 &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
    echo "Python 3.11 or newer is needed. On Debian: apt-get install python3 python3-venv" >&2
    return 1
}

python=$(find_python)
if ! "$python" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing python3-venv ..."
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            "python$version-venv" >/dev/null
    else
        echo "$python cannot make virtual environments. On Debian, as root:" >&2
        echo "  apt-get install python3-venv" >&2
        exit 1
    fi
fi

# Scripts in a virtual environment hold its path: one that was moved here is made anew.
made_in=$(cat .venv/.made-in 2>/dev/null || pwd)
if [ "$made_in" != "$(pwd)" ] ||
    ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Making the virtual environment .venv with $python ..."
    "$python" -m venv --clear .venv
fi
echo "Installing what setup.cfg names ($wanted) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --editable "$what"
# By all cores, which pip does by one, and without the tests of others.
.venv/bin/python -m compileall -q -j 0 -x '/tests?/' .venv/lib || true
pwd >.venv/.made-in
echo "$digest" >".venv/.made-for-$wanted"
