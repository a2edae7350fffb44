#!/bin/bash
# Installs the SDK to a new prefix, looks at what the library shows, builds the examples against it with CMake and with
# pkg-config, and runs them against a broker.
#   install_test.sh SOURCE_DIR BUILD_DIR COMPILER SLUICE_BINARY [COMPILE_FLAG ..]
set -euo pipefail
source_dir=$1 build_dir=$2 compiler=$3 sluice=$4
shift 4
work=$(mktemp -d)
broker=
finish() {
  if [ -n "$broker" ]; then kill "$broker" 2> /dev/null || true; wait "$broker" || true; fi
  rm -rf "$work"
}
trap finish EXIT

cmake --install "$build_dir" --component client --prefix "$work/prefix" > "$work/install.log"
library=$(find "$work/prefix" -name 'libsluice_client.so' -print)
[ -n "$library" ] || { echo "no libsluice_client.so was installed"; exit 1; }

echo "-- symbols"
foreign=$(nm -D --defined-only -C "$library" | cut -d' ' -f3- |
  grep -vE '^(SLUICE_0|sluice::Status::|sluice::(AdminClient|Consumer|GroupConsumer|Producer|ResumableProducer)::[^I]|sluice::CodeName)' || true)
if [ -n "$foreign" ]; then printf 'the library shows what is not its interface:\n%s\n' "$foreign"; exit 1; fi

echo "-- examples with CMake"
cmake -S "$source_dir/client/examples" -B "$work/examples" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$*" > "$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/examples" > "$work/build.log" || { cat "$work/build.log"; exit 1; }

echo "-- an example with pkg-config"
PKG_CONFIG_PATH="$(dirname "$library")/pkgconfig"
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # the flags are words
"$compiler" -std=c++23 "$@" "$source_dir/client/examples/consume.cc" -o "$work/consume" \
  $(pkg-config --cflags --libs sluice-client)

echo "-- a broker"
"$sluice" serve --data "$work/data" --set native.port=0 --set admin.port=0 --set aws.port=0 --set aws.tls_port=0 --set storage.allow_volatile=true \
  > "$work/broker.log" 2>&1 &
broker=$!
for _ in $(seq 300); do
  [ -s "$work/data/ports.json" ] && break
  kill -0 "$broker" || { cat "$work/broker.log"; exit 1; }
  sleep 0.1
done
port=$(sed -n 's/.*"native": *\([0-9]*\).*/\1/p' "$work/data/ports.json")
"$work/examples/produce" "127.0.0.1:$port" orders 1000
"$work/examples/consume" "127.0.0.1:$port" orders 1000 | cut -d' ' -f4- | sort > "$work/consumed"
seq 0 999 | sed 's/^/order /' | sort > "$work/produced"
cmp "$work/produced" "$work/consumed"
"$work/examples/consume_group" "127.0.0.1:$port" orders group 1000 | cut -d' ' -f4- | sort > "$work/consumed"
cmp "$work/produced" "$work/consumed"
echo "-- done"
