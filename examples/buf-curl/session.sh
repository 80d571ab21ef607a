#!/usr/bin/env bash
# A metadata server from a shell, with nothing of this project: `buf curl` learns the protocol from
# the server itself, by reflection.
#
#   ./session.sh [http://127.0.0.1:7400]
#
# It wants buf (https://buf.build/docs/cli) and leaves the server as it found it.
set -euo pipefail
server=${1:-http://127.0.0.1:7400}

call() { # SERVICE/METHOD JSON: the reply, or the refusal and an exit code of 8 times its status
    echo "--- $1 $2" >&2
    buf curl --protocol grpc --http2-prior-knowledge --timeout "${limit:-10s}" \
        -H "mds-principal: ${USER:-$(id -un)}" -H 'mds-client: buf-curl' --data "$2" "$server/mds.v1.$1"
}

field() { # NAME: the first text of this name in a reply
    sed -n 's/.*"'"$1"'": "\(.*\)".*/\1/p' | head -n 1
}

refused() { # STATUS COMMAND…: it has to be refused so
    local said
    if said=$("${@:2}" 2>&1); then
        echo "It should have been refused: $said" >&2
        return 1
    fi
    # Which reason exactly stands in an ErrorInfo, which buf shows in base64; the status says enough.
    grep -q "\"code\": \"$1\"" <<<"$said" || { echo "$said" >&2; return 1; }
    echo "refused, as it should be: $1"
}

echo '== What the server can do'
buf curl --http2-prior-knowledge --protocol grpc --list-services "$server"

echo '== What is there, and as of when'
listed=$(call ControlUnits/ListControlUnits '{"pageSize": 5}')
echo "$listed"
position=$(sed -n '/"position"/,/}/p' <<<"$listed" | sed '1s/.*/{/; $s/,$//')

echo '== Create, read, and change with the etag that was read'
# A request id makes it safe to send a change again: by it the server knows what it has done.
created=$(call Variables/CreateVariable '{
    "variable": {"name": "variables/buf-curl/tune", "value": "4.83", "description": "horizontal"},
    "requestId": "buf-curl-'"$$"'-1", "reason": "an example"}')
again=$(call Variables/CreateVariable '{
    "variable": {"name": "variables/buf-curl/tune", "value": "4.83", "description": "horizontal"},
    "requestId": "buf-curl-'"$$"'-1", "reason": "an example"}')
test "$created" = "$again"
call Variables/GetVariable '{"name": "variables/buf-curl/tune"}'
etag=$(field etag <<<"$created")
call Variables/UpdateVariable '{
    "variable": {"name": "variables/buf-curl/tune", "etag": "'"$etag"'", "value": "4.85"},
    "updateMask": "value", "reason": "a better tune"}'

echo '== What must not be is refused, with a reason'
refused aborted call Variables/UpdateVariable '{
    "variable": {"name": "variables/buf-curl/tune", "etag": "'"$etag"'", "value": "4.80"},
    "updateMask": "value", "reason": "with an etag that is no longer right"}'
refused not_found call ControlUnits/GetControlUnit '{"name": "control_units/NOBODY/KNOWS/IT"}'
refused invalid_argument call Variables/CreateVariable '{"variable": {"name": "variables/a//b"}}'

echo '== Delete it, and see all that has happened since the list'
etag=$(call Variables/GetVariable '{"name": "variables/buf-curl/tune"}' | field etag)
call Variables/DeleteVariable '{"name": "variables/buf-curl/tune", "etag": "'"$etag"'"}'
# A watch goes on for ever; this one ends with its time (DEADLINE_EXCEEDED, 4 times 8).
limit=2s call Watch/Watch '{
    "position": '"$position"', "kinds": ["KIND_VARIABLE"], "idPrefix": "buf-curl/",
    "view": "VIEW_BASIC"}' || test $? = 32
