#!/usr/bin/env bash
# The same load on others and on this broker, on the same machine in turn, both beside each other.
#
#   kinesis: PutRecords, PutRecord and GetRecords over HTTP/1.1 (`sluice bench --kinesis-port`) on kinesalite, each with what an answer promises; below them this broker's own rows,
#            signatures verified among them, shards and connections, with what the machine allows, goal and floor
#   parquet: JSON lines to Parquet and to gzip (`sluice bench parquet gzip`) by DuckDB and zlib, on one thread, in CPU time; and the whole way to Parquet
#            files, from the log and from the put (`sluice bench lake`), beside DuckDB's from a file, by the clock
#
#   tools/peers.sh [--build DIR] [--dir DIR] [--seconds S] [--rounds N] [--only kinesis|parquet]
#
# --build: where sluice was built (build/release). --dir: below which all write; must be on the disk to measure (build). kinesalite comes from npm
# and DuckDB from PyPI into a scratch directory there, which is removed. What cannot be had is skipped with a word, and this broker measured alone.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly kinesis_package=kinesalite@3.3.3 parquet_package=duckdb==1.5.6
build=build/release dir=build seconds=3 rounds=3 only=""
place="" server=""

fail() { echo "peers: $*" >&2; exit 1; }

stop_server() {
  [ "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=""
}

cleanup() {
  stop_server
  [ -z "$place" ] || rm -rf "$place"
}
trap cleanup EXIT

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --build) build=$2 ;;
      --dir) dir=$2 ;;
      --seconds) seconds=$2 ;;
      --rounds) rounds=$2 ;;
      --only) only=$2 ;;
      *) fail "unknown option $1; see the head of $0" ;;
    esac
    shift 2 || fail "$1 needs a value"
  done
  sluice=$(realpath "$build/tools/sluice") || fail "there is no sluice in $build: build it first"
  mkdir -p "$dir"
  place=$(mktemp -d "$dir/peers.XXXXXX")
  case $only in
    "") compare_kinesis; compare_parquet ;;
    kinesis) compare_kinesis ;;
    parquet) compare_parquet ;;
    *) fail "--only takes kinesis or parquet, not '$only'" ;;
  esac
}

compare_kinesis() {
  if install_kinesalite; then
    start_kinesalite
    measure "kinesalite, in memory: nothing is on the disk"
    start_kinesalite --path "$place/leveldb"
    measure "kinesalite, LevelDB: on the disk some time later, no flush"
  fi
  start_sluice
  measure "sluice, durable: flushed to the disk before the answer"
  print_results
  print_rows
}

# A row below its floor is in the table; it does not end the comparison.
print_rows() {
  echo
  echo "peers: sluice beside what this machine allows"
  "$sluice" bench --dir "$place/bench" --seconds "$seconds" --rounds "$rounds" kinesis-put kinesis-put-record kinesis-get shards connections >"$place/rows" ||
    [ -s "$place/rows" ] || fail "sluice bench measures nothing"
  cat "$place/rows"
}

compare_parquet() {
  local lines=$place/lines.ndjson load
  echo "peers: JSON lines to Parquet and gzip, MB of JSON a second of one core's time; row 27 by the clock"
  "$sluice" bench --dir "$place/bench" --seconds "$seconds" --rounds "$rounds" parquet gzip lake >"$place/conversion" || [ -s "$place/conversion" ] || fail "sluice bench measures nothing"
  if install_duckdb; then
    "$sluice" bench --write-lines "$lines"
    "$place/venv/bin/python" -B tools/duckdb_peer.py "$lines" "$rounds" >>"$place/conversion"
  fi
  head -n 1 "$place/conversion"
  for load in "JSON to Parquet, snappy" "JSON to Parquet, zstd-1" "NDJSON to gzip" "log to Parquet" "put to Parquet" "JSON lines"; do
    grep -F "$load" "$place/conversion" || true  # DuckDB's are missing where it is
  done
}

install_duckdb() {
  if ! command -v python3 >/dev/null; then
    echo "peers: skipped DuckDB and zlib: there is no python3"
    return 1
  fi
  if ! python3 -m venv "$place/venv" >"$place/pip.log" 2>&1; then
    echo "peers: skipped DuckDB and zlib: python3 makes no virtual environment (Debian: python3-venv): $(tail -n 1 "$place/pip.log")"
    return 1
  fi
  if ! "$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$parquet_package" >"$place/pip.log" 2>&1; then
    echo "peers: skipped DuckDB and zlib: pip cannot install $parquet_package: $(tail -n 1 "$place/pip.log")"
    return 1
  fi
}

install_kinesalite() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "peers: skipped kinesalite: there is no node or npm"
    return 1
  fi
  if ! npm install --silent --no-audit --no-fund --prefix "$place/npm" "$kinesis_package" >"$place/npm.log" 2>&1; then
    echo "peers: skipped kinesalite: npm cannot install $kinesis_package: $(tail -n 1 "$place/npm.log")"
    return 1
  fi
}

# A port that nobody listens on now.
free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# start_kinesalite ARGUMENT..: leaves its port in $port.
start_kinesalite() {
  port=$(free_port)
  node "$place/npm/node_modules/kinesalite/cli.js" --port "$port" --createStreamMs 0 --shardLimit 100 "$@" >"$place/peer.log" 2>&1 &
  server=$!
  await_port || fail "kinesalite does not start: $(tail -n 3 "$place/peer.log")"
}

start_sluice() {
  local ports=$place/data/ports.json
  "$sluice" serve --data "$place/data" --lake "$place/lake" --set native.port=0 --set admin.port=0 --set aws.port=0 --set aws.tls_port=0 \
    --set aws.accept_any_signature=true >"$place/serve.log" 2>&1 &
  server=$!
  local tries
  for tries in $(seq 600); do
    [ ! -s "$ports" ] || break
    kill -0 "$server" 2>/dev/null || fail "sluice does not start: $(tail -n 3 "$place/serve.log")"
    sleep 0.1
  done
  port=$(sed -n 's/.*"aws": *\([0-9]*\).*/\1/p' "$ports" | head -n 1)
  [ "$port" ] || fail "sluice says no port of its AWS door"
}

await_port() {
  local tries
  for tries in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# measure LABEL: one line a figure, with the label behind it.
measure() {
  echo "peers: $1"
  "$sluice" bench --kinesis-port "$port" --seconds "$seconds" --rounds "$rounds" | sed "s|\$|  $1|" >>"$place/figures"
  stop_server
}

# The figures in the order in which they are measured, those of the same load below each other.
print_results() {
  local load
  cut -c 1-32 "$place/figures" | awk '!seen[$0]++' | while read -r load; do
    echo
    grep -F "$load" "$place/figures"
  done
}

main "$@"
