#!/usr/bin/env python3
"""What `sluice bench parquet gzip lake` measures, by others: DuckDB's JSON to Parquet, and zlib, on the same kind of lines, each on one thread.

    duckdb_peer.py LINES ROUNDS

LINES is what `sluice bench --write-lines` has written; needs the package duckdb. Prints a figure a line as the command does: the median of
ROUNDS in MB of JSON a second, of CPU time of the whole process, and for row 27 of the clock. DuckDB writes files beside LINES, which it does not
flush: the sink of `parquet` only counts, and `lake` flushes each object.
"""
import os
import shutil
import statistics
import sys
import time
import zlib

import duckdb

COLUMNS = {
    "ts": "VARCHAR", "event_id": "VARCHAR", "level": "VARCHAR", "region": "VARCHAR", "user_id": "BIGINT", "session": "VARCHAR", "ip": "VARCHAR",
    "method": "VARCHAR", "path": "VARCHAR", "status": "BIGINT", "latency_ms": "DOUBLE", "bytes": "BIGINT", "cached": "BOOLEAN", "msg": "VARCHAR"}


# Those of the workload lake.
LAKE_COLUMNS = {name: COLUMNS[name] for name in ("ts", "event_id", "level", "user_id", "path", "status", "latency_ms", "cached", "msg")}


def parquet(connection, lines, options, columns=COLUMNS, select="*"):
    """One conversion; gives the bytes of the file, or of those in the directory that DuckDB makes."""
    path = f"{lines}.parquet"
    connection.execute(
        f"COPY (SELECT {select} FROM read_json('{lines}', format = 'newline_delimited', columns = {columns})) TO '{path}' (FORMAT parquet, {options})")
    if os.path.isfile(path):
        size = os.path.getsize(path)
        os.remove(path)
        return size
    size = sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(path) for name in names)
    shutil.rmtree(path)
    return size


def gzip(text):
    """zlib's default level with gzip's header; gives the bytes."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    return len(compressor.compress(text)) + len(compressor.flush())


def measure(row, name, megabytes, rounds, run, clock=time.process_time):
    run()  # untimed: the first one finds code and file cold
    figures = []
    for _ in range(rounds):
        start = clock()
        size = run()
        figures.append(megabytes / (clock() - start))
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
    lake = {"columns": LAKE_COLUMNS}
    measure(27, f"JSON lines to Parquet files, {by}", megabytes, rounds, lambda: parquet(connection, lines, "COMPRESSION snappy", **lake), time.perf_counter)
    partitioned = "COMPRESSION snappy, PARTITION_BY (part)"
    measure(27, f"JSON lines, 1,024 partitions, {by}", megabytes, rounds,
            lambda: parquet(connection, lines, partitioned, select="*, user_id % 1024 AS part", **lake), time.perf_counter)
    with open(lines, "rb") as file:
        text = file.read()
    measure(22, f"NDJSON to gzip, zlib {zlib.ZLIB_RUNTIME_VERSION} level 6", megabytes, rounds, lambda: gzip(text))


if __name__ == "__main__":
    main()
