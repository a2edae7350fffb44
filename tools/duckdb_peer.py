#!/usr/bin/env python3
"""What `sluice bench parquet gzip` measures, by others: DuckDB's JSON to Parquet, and zlib, on the same lines, each on one thread.

    duckdb_peer.py LINES ROUNDS

LINES is what `sluice bench --write-lines` has written; needs the package duckdb. Prints a figure a line as the command does: the median of
ROUNDS in MB of JSON a second of CPU time, of the whole process. DuckDB writes a file beside LINES, where the command's sink only counts.
"""
import os
import statistics
import sys
import time
import zlib

import duckdb

COLUMNS = {
    "ts": "VARCHAR", "event_id": "VARCHAR", "level": "VARCHAR", "region": "VARCHAR", "user_id": "BIGINT", "session": "VARCHAR", "ip": "VARCHAR",
    "method": "VARCHAR", "path": "VARCHAR", "status": "BIGINT", "latency_ms": "DOUBLE", "bytes": "BIGINT", "cached": "BOOLEAN", "msg": "VARCHAR"}


def parquet(connection, lines, options):
    """One conversion; gives the bytes of the file."""
    path = f"{lines}.parquet"
    connection.execute(f"COPY (SELECT * FROM read_json('{lines}', format = 'newline_delimited', columns = {COLUMNS})) TO '{path}' (FORMAT parquet, {options})")
    size = os.path.getsize(path)
    os.remove(path)
    return size


def gzip(text):
    """zlib's default level with gzip's header; gives the bytes."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    return len(compressor.compress(text)) + len(compressor.flush())


def measure(row, name, megabytes, rounds, run):
    run()  # untimed: the first one finds code and file cold
    figures = []
    for _ in range(rounds):
        start = time.process_time()
        size = run()
        figures.append(megabytes / (time.process_time() - start))
    note = f"{megabytes:.0f} MB become {size / 1e6:.1f} MB; median of {rounds}"
    print(f"{row:>3}  {name:<44} {statistics.median(figures):>9.0f} {'-':>9} {'MB/s':<6} {'-':>6} {'-':>6} {'-':>6}  {'-':<11} {note}", flush=True)


def main():
    lines, rounds = sys.argv[1], int(sys.argv[2])
    megabytes = os.path.getsize(lines) / 1e6
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    by = f"DuckDB {duckdb.__version__}"
    measure(21, f"JSON to Parquet, snappy, {by}", megabytes, rounds, lambda: parquet(connection, lines, "COMPRESSION snappy"))
    measure(21, f"JSON to Parquet, zstd-1, {by}", megabytes, rounds, lambda: parquet(connection, lines, "COMPRESSION zstd, COMPRESSION_LEVEL 1"))
    with open(lines, "rb") as file:
        text = file.read()
    measure(22, f"NDJSON to gzip, zlib {zlib.ZLIB_RUNTIME_VERSION} level 6", megabytes, rounds, lambda: gzip(text))


if __name__ == "__main__":
    main()
