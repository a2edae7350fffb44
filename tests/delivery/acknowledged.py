"""Who stands where: what the Kinesis API answered to each put, held against what became of each record.

A `Producer` puts records all the time and keeps the shard and the sequence number of each answer. A Lambda function (this file, run as a command) writes into
each record where the broker says that it stands, drops the records that ask for it and notes where they stood. So rows carry shard and sequence number,
error records have them anyhow, and `compare` takes rows, error records and dropped ones together: they must be what was acknowledged, each place once, with its
own content. A record whose answer never came may be there once, or not at all. The lake is read by pyarrow and by DuckDB, which must agree.
"""
import base64
import collections
import dataclasses
import http.client
import itertools
import json
import pathlib
import subprocess
import sys
import threading

COLUMNS = [{"Name": "id", "Type": "bigint"}, {"Name": "text", "Type": "string"}, {"Name": "shard", "Type": "string"}, {"Name": "sequence", "Type": "string"}]
REQUEST_TIMEOUT_S = 60


class Broken(Exception):
    """A promise is broken."""


@dataclasses.dataclass(frozen=True)
class Fate:
    kind: str  # row, error, dropped
    content: str


def fate_of(record):
    """What must become of a record that is put."""
    if not record.startswith("{"):
        return Fate("error", record)
    document = json.loads(record)
    return Fate("dropped", str(document["id"])) if document["drop"] else row_fate(document["id"], document["text"])


def row_fate(number, text):
    return Fate("row", f"{number} {text}")


class Records:
    """Makes records of all three fates, each different from every other."""

    def __init__(self, chance, text_bytes_max):
        self.chance = chance
        self.text_bytes_max = text_bytes_max
        self.ids = itertools.count()

    def some(self, count):
        """About one in fifty is no JSON, and one is to be dropped."""
        return [self.one(self.chance.choices(["row", "error", "dropped"], [48, 1, 1])[0]) for _ in range(count)]

    def one(self, kind):
        number = next(self.ids)
        if kind == "error":
            return f"bad {number}"
        text = "x" * self.chance.randrange(self.text_bytes_max)
        return json.dumps({"id": number, "text": text, "kind": "ab"[number % 2], "drop": kind == "dropped"})


class Producer:
    """Puts into the broker that `ports` (a file) tells of, whichever runs just now. Any thread may put."""

    def __init__(self, ports, stream, records):
        self.ports = ports
        self.stream = stream
        self.records = records
        self.lock = threading.Lock()
        self.told = []  # ((shard, sequence number), record); guarded by lock
        self.unanswered = []  # guarded by lock
        self.ended = threading.Event()
        self.thread = None

    def begin(self, batch, pause_s):
        """Batches of so many records from now on, and as well while there is no broker."""
        self.ended.clear()
        self.thread = threading.Thread(target=self.go_on, args=(batch, pause_s), daemon=True)
        self.thread.start()

    def end(self):
        self.ended.set()
        self.thread.join()

    def go_on(self, batch, pause_s):
        while not self.ended.wait(pause_s):
            self.put(self.records.some(batch))

    def count(self):
        with self.lock:
            return len(self.told)

    def put(self, records):
        """How many were acknowledged."""
        connection = self.connected()
        if connection is None:
            return 0
        body = json.dumps({"StreamName": self.stream, "Records": [{"Data": base64.b64encode(record.encode()).decode(), "PartitionKey": record[-24:]}
                                                                  for record in records]})
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.PutRecords"})
            answer = connection.getresponse()
            results = json.loads(answer.read())["Records"] if answer.status == 200 else [{}] * len(records)
        except (OSError, http.client.HTTPException):
            results = [{}] * len(records)  # perhaps it has them
        finally:
            connection.close()
        with self.lock:
            for record, result in zip(records, results, strict=True):
                if "SequenceNumber" not in result:
                    self.unanswered.append(record)
                else:
                    self.told.append(((result["ShardId"], result["SequenceNumber"]), record))
        return sum("SequenceNumber" in result for result in results)

    def connected(self):
        """None where there is no broker, so that nothing is sent."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", json.loads(self.ports.read_text())["aws"], timeout=REQUEST_TIMEOUT_S)
            connection.connect()
            return connection
        except (OSError, ValueError):
            return None


READ_ROWS = """
import json, pathlib, sys, urllib.parse
import duckdb
import pyarrow.parquet as parquet
from pyarrow import fs
names = ["id", "text", "shard", "sequence"]
paths = [str(path) for path in pathlib.Path(sys.argv[1]).rglob("*.parquet")]
files, seen = fs.LocalFileSystem(), paths
if len(sys.argv) > 2:
    place, options = sys.argv[2].split("?")
    files = fs.S3FileSystem(access_key=sys.argv[3], secret_key=sys.argv[4], **dict(urllib.parse.parse_qsl(options)))
    infos = files.get_file_info(fs.FileSelector(place.removeprefix("s3://"), recursive=True))
    seen = [info.path for info in infos if info.path.endswith(".parquet")]
tables = [parquet.read_table(path, columns=names, filesystem=files, partitioning=None) for path in seen]
rows = [list(row) for table in tables for row in zip(*(table.column(name).to_pylist() for name in names))]
query = "select id, text, shard, sequence from read_parquet(?, hive_partitioning=false)"
json.dump({"pyarrow": rows, "DuckDB": duckdb.execute(query, [paths]).fetchall() if paths else []}, sys.stdout)
"""


def rows_in_lake(python, directory, *over_s3):
    """Of the Parquet files below a directory, as both readers have them; pyarrow over S3 where its URI and the keys are given."""
    done = subprocess.run([python, "-c", READ_ROWS, directory, *over_s3], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"the lake cannot be read: {done.stderr[-2000:]}")
    read = json.loads(done.stdout)
    if sorted(read["pyarrow"]) != sorted(read["DuckDB"]):
        raise Broken(f"pyarrow reads {len(read['pyarrow'])} rows and DuckDB {len(read['DuckDB'])}, or others")
    return [((shard, sequence), row_fate(number, text)) for number, text, shard, sequence in read["pyarrow"]]


def errors_in(files):
    """Of error objects."""
    records = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    return [((record["shardId"], record["sequenceNumber"]), Fate("error", base64.b64decode(record["rawData"]).decode())) for record in records]


def dropped_in(notes):
    """Once each: a function is asked again when a delivery is made again."""
    lines = {tuple(line.split()) for line in notes.read_text().splitlines()} if notes.exists() else set()
    return [((shard, sequence), Fate("dropped", number)) for shard, sequence, number in lines]


def compare(producer, rows, errors, dropped, filtered):
    """`filtered`: as the delivery stream counts. Gives a sentence on what there is."""
    found = [*rows, *errors, *dropped]
    twice = [place for place, times in collections.Counter(place for place, _ in found).items() if times > 1]
    if twice:
        raise Broken(f"{len(twice)} places are there more than once, such as {twice[:3]}")
    with producer.lock:
        told = {place: fate_of(record) for place, record in producer.told}
        acknowledged = len(producer.told)
        perhaps = collections.Counter(map(fate_of, producer.unanswered))
    if len(told) != acknowledged:
        raise Broken(f"{acknowledged} records were acknowledged at {len(told)} places")
    missing = told.items() - dict(found).items()
    unasked = collections.Counter(fate for place, fate in found if place not in told)
    if missing or unasked - perhaps:
        raise Broken(f"{len(missing)} of {len(told)} acknowledged records are missing or elsewhere ({list(missing)[:3]}), "
                      f"{(unasked - perhaps).total()} that nobody put ({list(unasked - perhaps)[:3]})")
    if not rows or not errors or not dropped or filtered != len(dropped):
        raise Broken(f"{len(rows)} rows, {len(errors)} error records, {len(dropped)} dropped ones, of which {filtered} are counted")
    return f"{len(rows)} rows, {len(errors)} error records, {len(dropped)} dropped: {len(told)} acknowledged and {unasked.total()} unanswered ones, each once"


def lambda_processor(notes):
    """The function, as a processor of a delivery stream; its notes of dropped records go to this file."""
    command = f"command:{sys.executable} -B {pathlib.Path(__file__).resolve()} {notes}"
    return {"Type": "Lambda", "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": command}]}


def transformed(record, notes):
    place = record["kinesisRecordMetadata"]
    data = base64.b64decode(record["data"])
    if not data.startswith(b"{"):
        return {"recordId": record["recordId"], "result": "Ok", "data": record["data"]}
    document = json.loads(data) | {"shard": place["shardId"], "sequence": place["sequenceNumber"]}
    if document["drop"]:
        notes.write(f"{document['shard']} {document['sequence']} {document['id']}\n")
    return {"recordId": record["recordId"], "result": "Dropped" if document["drop"] else "Ok", "data": base64.b64encode(json.dumps(document).encode()).decode()}


def serve(notes_path):
    with open(notes_path, "a", encoding="ascii") as notes:
        for line in sys.stdin:
            answer = {"records": [transformed(record, notes) for record in json.loads(line)["records"]]}
            notes.flush()
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
