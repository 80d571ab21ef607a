#!/bin/sh
# Makes the client from the protocol, into gen/: any protoc does it that finds Google's own protos.
# Here the one of this project's Python environment is taken (PYTHON, else its .venv).
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-../../.venv/bin/python}
google=$("$python" -c 'import google.api, os; print(os.path.dirname(os.path.dirname(list(google.api.__path__)[0])))')
mkdir -p gen
# shellcheck disable=SC2046 # a list of names
"$python" -m grpc_tools.protoc -I ../../proto -I "$google" \
    --plugin=protoc-gen-es=node_modules/.bin/protoc-gen-es --es_out=gen --es_opt=target=js+dts,import_extension=js \
    google/api/annotations.proto google/api/http.proto google/rpc/status.proto google/rpc/error_details.proto \
    $(cd ../../proto && ls mds/v1/*.proto)
