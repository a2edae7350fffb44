#!/usr/bin/env python3
"""Reads the sample objects with libraries that are not ours: pyarrow, DuckDB, and Python's gzip and zipfile.

usage: independent_reader.py WRITE_SAMPLE_OBJECTS VENV_DIR

VENV_DIR is made where it is missing. Ends with 77 (skipped) where the libraries are not there and cannot be fetched.
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import uuid
import zipfile

SKIPPED = 77
PACKAGES = ["pyarrow==26.0.1", "duckdb==1.5.6", "pytz"]


def enter_venv(venv, script=__file__):
    """Runs the script again inside the environment that has the libraries."""
    python = os.path.join(venv, "bin", "python")
    ready = os.path.join(venv, "ready")
    if not os.path.exists(ready):
        try:
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"skipped: pyarrow and DuckDB are not to be had here: {error}")
            sys.exit(SKIPPED)
        open(ready, "w").close()
    os.execv(python, [python, "-B", script, *sys.argv[1:], "--inside"])


def normal(value):
    """One spelling for values that readers give in different types."""
    if isinstance(value, dict):
        if set(value) == {"key", "value"} and isinstance(value["key"], list):
            return {k: normal(v) for k, v in zip(value["key"], value["value"])}
        return {k: normal(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        items = [normal(v) for v in value]
        if items and all(isinstance(v, tuple) and len(v) == 2 for v in value):
            return dict(items)
        return items
    if hasattr(value, "isoformat"):
        text = value.isoformat()
        if hasattr(value, "hour"):
            text = value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return text
    if type(value).__name__ == "Decimal":
        return float(value)
    return value


def check(name, rows, expected):
    assert len(rows) == len(expected), f"{name}: {len(rows)} rows, expected {len(expected)}"
    for number, (row, want) in enumerate(zip(rows, expected)):
        got = normal(row)
        if not got["peers"]:
            got["peers"] = want["peers"] if want["peers"] in (None, []) else got["peers"]
        for peer in got["peers"] or []:
            if isinstance(peer["responses"], list):
                peer["responses"] = dict(map(tuple, peer["responses"]))
        assert got == want, f"{name}, row {number}:\n got  {got}\n want {want}"
    print(f"{name}: {len(rows)} rows")


def check_footer(name, metadata):
    facts = json.loads(metadata)
    assert facts["stream"] == "orders" and facts["rows"] == facts["records"] == 20000, f"{name}: {facts}"
    assert facts["ranges"] == [{"shard": 3, "first": 0, "last": 19999}], f"{name}: {facts}"


def read_parquet(path, expected):
    import duckdb
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    assert file.num_row_groups > 1, f"{path}: the row groups are not streamed"
    assert file.metadata.row_group(0).sorting_columns, f"{path}: the sorting column is missing"
    check_footer(path, file.metadata.metadata[b"sluice"])
    check("pyarrow " + os.path.basename(path), file.read().to_pylist(maps_as_pydicts="strict"), expected)

    duckdb.sql("set timezone='UTC'")
    relation = duckdb.sql(f"select * from read_parquet('{path}')")
    rows = [dict(zip(relation.columns, row)) for row in relation.fetchall()]
    check("duckdb " + os.path.basename(path), rows, expected)
    low, high = duckdb.sql(f"select min(id), max(id) from read_parquet('{path}')").fetchone()
    assert (low, high) == (0, len(expected) - 1)


def read_sorted(path, expected):
    import duckdb
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    groups = file.metadata.num_row_groups
    assert groups > 1, f"{path}: one row group"
    names = [column.path for column in file.schema]
    for group in range(groups):
        keys = [(names[key.column_index], key.descending, key.nulls_first)
                for key in file.metadata.row_group(group).sorting_columns]
        assert keys == [("host", True, False), ("price", False, True)], keys
        rows = file.read_row_group(group).to_pylist()
        # Stable: the sort that Python does by the second key, then by the first, gives the same rows.
        want = sorted(sorted(sorted(rows, key=lambda row: row["id"]), key=lambda row: row["price"]),
                      key=lambda row: row["host"], reverse=True)
        assert rows == want, f"{path}: row group {group} is not sorted"
    rows = duckdb.sql(f"select count(*), count(distinct id), sum(id) from read_parquet('{path}')").fetchone()
    assert rows == (len(expected), len(expected), sum(row["id"] for row in expected)), rows
    print(f"{os.path.basename(path)}: {groups} row groups are sorted")


def read_orc(path, expected):
    from pyarrow import orc

    file = orc.ORCFile(path)
    name = os.path.basename(path)
    compression, version = name.split(".")[:2]
    assert file.compression.upper() == {"NONE": "UNCOMPRESSED"}.get(compression, compression), file.compression
    assert file.file_version == {"v11": "0.11", "v12": "0.12"}[version], file.file_version
    assert file.nstripes > 1, f"{path}: the stripes are not streamed"
    assert str(file.schema.field("time").type) == "timestamp[ns]", file.schema
    check_footer(path, file.metadata[b"sluice"])
    check("pyarrow " + name, file.read().to_pylist(maps_as_pydicts="strict"), expected)


def snappy_blocks(data, hadoop):
    import pyarrow

    codec = pyarrow.Codec("snappy")
    place = 0 if hadoop else 16
    out = []
    while place < len(data):
        if hadoop:
            place += 4
        size = int.from_bytes(data[place:place + 4], "big")
        chunk = data[place + 4:place + 4 + size]
        length = shift = used = 0
        while True:  # the chunk begins with its length, seven bits a byte
            byte = chunk[used]
            length |= (byte & 127) << shift
            used, shift = used + 1, shift + 7
            if byte < 128:
                break
        out.append(codec.decompress(chunk, length).to_pybytes())
        place += 4 + size
    return b"".join(out)


def read_raw(path, want):
    import duckdb

    data = open(path, "rb").read()
    name = os.path.basename(path)
    if name.startswith("GZIP"):
        got = gzip.decompress(data)
        rows, ids = duckdb.sql(f"select count(*), sum(id) from read_json('{path}', format='newline_delimited', "
                               "compression='gzip')").fetchone()
        assert (rows, ids) == (got.count(b"\n"), sum(json.loads(line)["id"] for line in got.splitlines())), rows
    elif name.startswith("ZIP"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            [entry] = archive.namelist()
            uuid.UUID(entry)
            got = archive.read(entry)
            check_footer(path, archive.comment)
    elif name.startswith("Snappy"):
        assert data[:8] == b"\x82SNAPPY\0"
        got = snappy_blocks(data, False)
    elif name.startswith("HADOOP"):
        got = snappy_blocks(data, True)
    else:
        got = data
    assert got == want, f"{path}: {len(got)} bytes, expected {len(want)}"
    print(f"{name}: {len(got)} bytes")


def main():
    program, venv = sys.argv[1:3]
    if "--inside" not in sys.argv:
        enter_venv(venv)
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([program, directory], check=True)
        want = open(os.path.join(directory, "expected.ndjson"), "rb").read()
        expected = [json.loads(line) for line in want.splitlines()]
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            if name.endswith(".parquet"):
                read_parquet(path, expected)
            elif name.endswith(".orc"):
                read_orc(path, expected)
            elif name.endswith(".sorted"):
                read_sorted(path, expected)
            elif name.endswith(".raw"):
                read_raw(path, want)


if __name__ == "__main__":
    main()
