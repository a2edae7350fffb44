#!/usr/bin/env bash
# The main job once, from nothing: sets everything up, builds, starts a broker, puts 10,000 real flights into a stream, delivers
# them to a local lake as Parquet, counts and samples them there, and proves that each is there exactly once.
#
#   tools/demo.sh [--keep]     --keep leaves the data, the lake and the broker's log where they are and says where
#
# Needs no running broker and no free port in particular. Exit code 0 only when every step worked and 10,000 rows were counted.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly flights=tools/data/flights.csv expected=10000
keep=no
[ "${1:-}" = --keep ] && keep=yes
started=$SECONDS
place="" broker=""

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() { printf '  $ %s\n' "$*"; "$@" | sed 's/^/  /'; }
fail() { echo "demo: $*" >&2; exit 1; }

stop_broker() {
  [ "$broker" ] || return 0
  kill "$broker" 2>/dev/null || true
  local status=0
  wait "$broker" || status=$?
  broker=""
  return $status
}

cleanup() {
  local status=$?
  stop_broker || true
  if [ $status -ne 0 ] && [ -s "$place/broker.log" ]; then
    echo "demo: the last lines of the broker's log:" >&2
    tail -n 20 "$place/broker.log" >&2
  fi
  if [ "$place" ] && [ $keep = no ]; then rm -rf "$place"; fi
}
trap cleanup EXIT

main() {
  step "Set up"
  tools/setup.sh build
  step "Build"
  build_sluice
  place=$(mktemp -d build/demo.XXXXXX)  # not /tmp, which may be in memory: the broker does not call that durable
  step "Start a broker on its embedded defaults"
  start_broker
  step "Create a stream and a delivery stream to Parquet"
  show sluice stream create flights --shards 4
  show sluice delivery create -f tools/data/flights-delivery.json
  step "Put $expected flights, keyed by carrier; every acknowledgement means fdatasync returned"
  show sluice put flights $flights --parse csv --key-field carrier
  step "Deliver what is there now"
  show sluice delivery flush flights
  step "Look into the lake"
  look_into_lake
  step "Prove it: every sequence number exactly once"
  show sluice verify flights
  stop_broker || fail "the broker did not stop cleanly (exit code $?)"
  printf '\n%s\n' "All $expected flights are in the lake, each exactly once. $((SECONDS - started)) s in all."
  if [ $keep = yes ]; then echo "Data, lake and log are in $place"; fi
}

build_sluice() {
  local log=build/demo-build.log from=$SECONDS
  if ! { cmake --preset release && cmake --build --preset release --target sluice; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "the build failed; the whole output is in $log"
  fi
  PATH="$PWD/build/release/tools:$PATH"
  echo "$(sluice --version) built in $((SECONDS - from)) s"
}

# Ports are free ones of the system's choice; the broker writes them to its data directory once it is open.
start_broker() {
  SLUICE_NATIVE__PORT=0 SLUICE_ADMIN__PORT=0 SLUICE_AWS__PORT=0 SLUICE_AWS__TLS_PORT=0 \
    sluice serve --data "$place/data" --lake "$place/lake" >"$place/broker.log" 2>&1 &
  broker=$!
  local waited=0 port
  until [ -s "$place/data/ports.json" ]; do
    kill -0 "$broker" 2>/dev/null || { broker=""; fail "the broker did not start"; }
    [ $((waited += 1)) -le 300 ] || fail "the broker was not open after 30 s"
    sleep 0.1
  done
  port=$(sed -n 's/.*"native": *\([0-9]*\).*/\1/p' "$place/data/ports.json")
  export SLUICE_BROKER="127.0.0.1:$port"
  echo "broker at $SLUICE_BROKER"
}

look_into_lake() {
  local files="$place/lake/warehouse/flights" rows
  show sluice lake ls "$files"
  show sluice lake cat "$files" --limit 2
  show sluice lake count "$files"
  rows=$(sluice lake count "$files" --json | sed -n 's/.*"rows": *\([0-9]*\).*/\1/p')
  [ "$rows" = $expected ] || fail "counted '$rows' rows in the lake where $expected were put"
}

main
