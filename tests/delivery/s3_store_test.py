#!/usr/bin/env python3
"""A broker that delivers to a real S3 server (versitygw), with everything that can go wrong between the two.

    s3_store_test.py --build build/release

The server is away, dies in the middle, hangs, is slow, is full; credentials are wrong, from the beginning or suddenly, the bucket is missing; bytes are
changed on the way; the broker is killed between an upload and its checkpoint; somebody else's object has the key. Each time the message must say what to do,
nothing may be lost or doubled, and delivery must go on by itself. Objects are counted by pyarrow, over S3 with the URI that the ledger gives, and as the
server's own files. Exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import gzip
import hashlib
import json
import pathlib
import random
import signal
import subprocess
import sys
import time

import s3_world as world
from s3_world import Broken

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "crash"))
import disk_full_test  # noqa: E402
import loop_disk  # noqa: E402

READ_IDS = """
import json, sys, urllib.parse
import pyarrow.parquet as parquet
from pyarrow import fs
place, bucket_options = sys.argv[1].split("?")
options = dict(urllib.parse.parse_qsl(bucket_options))
root = place.removeprefix("s3://")
s3 = fs.S3FileSystem(access_key=sys.argv[2], secret_key=sys.argv[3], **options)
ids, types = [], set()
for info in s3.get_file_info(fs.FileSelector(root, recursive=True)):
    if not info.path.endswith(".parquet"):
        continue
    with s3.open_input_stream(info.path) as stream:
        types.add(stream.metadata()["Content-Type"].decode())
    ids += parquet.read_table(info.path, columns=["id"], filesystem=s3, partitioning=None).column("id").to_pylist()
json.dump({"ids": ids, "types": sorted(types)}, sys.stdout)
"""


class Test:
    def __init__(self, arguments, server, python, home, **settings):
        """`server` runs; with these settings of [delivery.s3]."""
        self.python = python
        self.server = server
        self.proxy = world.Proxy(self.server.port)
        self.endpoint = f"127.0.0.1:{self.proxy.port}"
        self.settings = {"delivery.lake_dir": "s3://", "delivery.s3.endpoint_override": f"http://{self.endpoint}", "delivery.s3.region": "us-east-1",
                         "delivery.s3.connect_timeout": "1s", "delivery.s3.request_timeout": "1s"}
        self.settings |= {f"delivery.s3.{key}": value for key, value in settings.items()}
        self.keys = {"SLUICE_DELIVERY__S3__ACCESS_KEY_ID": world.ACCESS, "SLUICE_DELIVERY__S3__SECRET_ACCESS_KEY": world.SECRET}
        self.broker = world.Broker(arguments.build / "tools" / "sluice", home, self.settings, self.keys)
        self.put = 0

    def make(self, bucket, **destination):
        """A stream of this name, and its delivery stream to the bucket of this name."""
        self.server.make_bucket(bucket)
        self.broker.run("stream", "create", bucket, "--shards", "2")
        self.broker.create(f"{bucket}-lake", bucket, bucket, **destination)

    def put_ids(self, stream, count=1000):
        """Records with texts that hardly compress."""
        self.broker.put(stream, [json.dumps({"id": number, "text": hashlib.sha512(b"%d" % number).hexdigest()}) for number in range(self.put, self.put + count)])
        self.put += count

    def put_large(self, bucket):
        """Makes the delivery of an object of several parts; gives its lines."""
        self.make(bucket, raw=True, CompressionFormat="GZIP")
        chance = random.Random(1)
        lines = [chance.randbytes(250_000).hex() for _ in range(60)]
        self.broker.put(bucket, lines)
        return lines

    def expect_large(self, bucket, lines):
        key = self.one_object(bucket)
        if sorted(gzip.decompress(self.server.read(bucket, key)).decode().split()) != sorted(lines):
            raise Broken("the large object holds other bytes")
        return key

    def flush(self, stream):
        self.broker.run("delivery", "flush", f"{stream}-lake")

    def flush_fails(self, stream, *words):
        said = self.broker.run("delivery", "flush", f"{stream}-lake", fails=True)
        for word in (*words, "nothing is lost"):
            if word not in said:
                raise Broken(f"the error does not say '{word}': {said}")

    def goes_on_after(self, bucket, errors, words):
        """Each error comes from a later request of a delivery on, and is told in these words, until the store takes requests again."""
        self.make(bucket)
        first = self.put
        for number, error in enumerate(errors):
            self.put_ids(bucket)
            self.proxy.error, self.proxy.spared = error, number
            self.flush_fails(bucket, f"s3://{bucket}", words)
            self.expect_told(bucket, words)
            self.proxy.error = None
            self.flush(bucket)
        self.expect_told(bucket, "")
        self.expect_ids(bucket, first, self.put)

    def expect_told(self, stream, words):
        """`delivery describe` says why it waits; nothing where it does not."""
        error = json.loads(self.broker.run("--json", "delivery", "describe", f"{stream}-lake"))["last_error"]
        if words not in error or (error and not words):
            raise Broken(f"describe does not say '{words}': {error}")

    def expect_ids(self, bucket, first, last):
        """The bucket's Parquet files hold these ids, each once, and `sluice verify` says the same."""
        verdict = json.loads(self.broker.run("--json", "verify", f"{bucket}-lake"))
        place = verdict["directory"]
        done = subprocess.run([self.python, "-c", READ_IDS, place, world.ACCESS, world.SECRET], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"pyarrow cannot read {place}: {done.stderr[-2000:]}")
        found = json.loads(done.stdout)
        if sorted(found["ids"]) != list(range(first, last)):
            raise Broken(f"{bucket}: {len(found['ids'])} rows, {len(set(found['ids']))} different, expected {first} to {last}")
        if found["types"] != ["application/octet-stream"]:
            raise Broken(f"Content-Type is {found['types']}")
        if not verdict["proven"] or verdict["rows"] != last - first:
            raise Broken(f"verify says: {verdict}")

    def headers(self, bucket, key):
        """What the server tells of an object to readers."""
        program = ("import json, sys; from pyarrow import fs; s3 = fs.S3FileSystem(access_key=sys.argv[1], secret_key=sys.argv[2], scheme='http', "
                   "endpoint_override=sys.argv[3], region='us-east-1'); "
                   "json.dump({key: value.decode() for key, value in s3.open_input_stream(sys.argv[4]).metadata().items()}, sys.stdout)")
        done = subprocess.run([self.python, "-c", program, world.ACCESS, world.SECRET, self.endpoint, f"{bucket}/{key}"],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def written(self):
        """Bytes that the broker has written so far."""
        counts = pathlib.Path(f"/proc/{self.broker.process.pid}/io").read_text()
        return int(next(line.split()[1] for line in counts.splitlines() if line.startswith("wchar:")))

    def one_object(self, bucket):
        objects = self.server.objects(bucket)
        if len(objects) != 1:
            raise Broken(f"{bucket} has {objects}, expected one object")
        return objects[0]


def delivers(test):
    test.make("plain")
    first = test.put
    test.put_ids("plain", 2000)
    test.flush("plain")
    if len(test.server.objects("plain")) != 1:
        raise Broken(f"one delivery made {test.server.objects('plain')}")
    test.expect_ids("plain", first, test.put)


def delivers_in_parts(test):
    """More than one part, and bytes that cannot be compressed."""
    lines = test.put_large("large")
    test.flush("large")
    key = test.expect_large("large", lines)
    if not any("uploadId=" in request for request in test.proxy.requests):
        raise Broken("the large object was not uploaded in parts")
    headers = test.headers("large", key)
    if headers["Content-Type"] != "application/octet-stream" or headers["Content-Encoding"] != "gzip":
        raise Broken(f"the large object has the headers {headers}")
    test.broker.run("verify", "large-lake")


def finds_tampering(test):
    """verify reads the objects again over S3, and knows copies by their footers."""
    key = test.one_object("plain")
    right = test.server.read("plain", key)
    if len(right) < 100_000:
        raise Broken("the object is too small to have its end looked at alone")
    copy = f"{key.rpartition('/')[0]}/copy.parquet"
    test.server.write("plain", copy, right)
    said = test.broker.run("verify", "plain-lake", fails=True)
    if "object unknown" not in said or "copy.parquet" not in said:
        raise Broken(f"verify does not see a copy: {said}")
    test.server.remove("plain", copy)
    test.server.write("plain", key, right[:100] + b"?" + right[101:])
    said = test.broker.run("verify", "plain-lake", fails=True)
    if "object changed" not in said:
        raise Broken(f"verify does not see a changed byte: {said}")
    test.server.write("plain", key, right)
    test.broker.run("verify", "plain-lake")


def waits_for_the_server(test):
    """It dies while the broker runs, and comes back."""
    test.make("away")
    first = test.put
    test.put_ids("away")
    test.flush("away")
    test.server.stop()
    test.put_ids("away", 5000)
    for _ in range(2):
        test.flush_fails("away", "s3://away", test.endpoint, "cannot be reached")
    written = test.written()
    test.flush_fails("away", "s3://away", test.endpoint, "cannot be reached")
    if test.written() - written > 100_000:
        raise Broken("a store that is known to be away costs a conversion each time")
    test.server.start()
    test.flush("away")
    test.expect_ids("away", first, test.put)


def waits_for_a_hanging_server(test):
    """It takes connections and says nothing: requests end by themselves, and so does the broker."""
    test.make("hangs")
    first = test.put
    test.put_ids("hangs")
    test.proxy.mode = "hang"
    test.flush_fails("hangs", "s3://hangs", test.endpoint)
    began = time.monotonic()
    test.broker.stop()
    if time.monotonic() - began > 10:
        raise Broken(f"the stop took {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    test.broker.start()
    if time.monotonic() - began > 5:
        raise Broken(f"the start took {time.monotonic() - began:.1f} s")
    test.proxy.mode = "pass"
    test.flush("hangs")
    test.expect_ids("hangs", first, test.put)


def refuses_wrong_credentials(test):
    test.make("keys")
    first = test.put
    test.put_ids("keys")
    test.broker.stop()
    test.broker.environment = test.keys | {"SLUICE_DELIVERY__S3__SECRET_ACCESS_KEY": "wrong"}
    test.broker.start()
    test.flush_fails("keys", "s3://keys", "the credentials are wrong")
    test.broker.stop()
    # And the way in which they come from the environment, for broker and verify.
    test.broker.environment = {"AWS_ACCESS_KEY_ID": world.ACCESS, "AWS_SECRET_ACCESS_KEY": world.SECRET}
    test.broker.start()
    test.flush("keys")
    test.expect_ids("keys", first, test.put)


def waits_for_credentials(test):
    """They are refused from some request of a delivery on, and taken again."""
    codes = ("SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken")
    test.goes_on_after("refused", [(403, code) for code in codes], "the credentials are wrong")


def waits_for_room(test):
    """Servers say in different ways that they are full; here from some request of a delivery on."""
    test.goes_on_after("room", [(507, "XMinioStorageFull"), (403, "QuotaExceeded"), (507, "InsufficientStorage")], "make room")


def waits_for_a_full_disk(test):
    """A server of its own, whose disk is full."""
    if reason := loop_disk.why_not("ext4"):
        print(f"waits_for_a_full_disk: left out: {reason}")
        return
    home = test.broker.home / "disk"
    home.mkdir()
    disk = loop_disk.LoopDisk(home, "ext4")
    server = world.Server(test.server.program, disk.mount_point)
    try:
        server.start()
        server.make_bucket("full")
        test.broker.stop()
        test.broker.start(delivery__buckets__full=f"s3://full?endpoint_override=127.0.0.1:{server.port}&scheme=http&region=us-east-1")
        test.broker.run("stream", "create", "full")
        test.broker.create("full-lake", "full", "full")
        first = test.put
        test.put_ids("full")
        test.flush("full")
        filler = disk.mount_point / "filler"
        disk_full_test.fill(filler, disk.mount_point)
        test.put_ids("full", 5000)
        test.flush_fails("full", "s3://full", "make room")
        test.expect_told("full", "make room")
        filler.unlink()
        test.flush("full")
        test.expect_ids("full", first, test.put)
    finally:
        server.stop()
        disk.close()


def waits_for_a_slow_server(test):
    """Bytes trickle: a request that ends within the timeout is waited for, one that does not is tried again."""
    test.make("slow")
    first = test.put
    test.put_ids("slow", 20)
    test.proxy.bytes_a_second, test.proxy.mode = 16_000, "slow"
    test.flush("slow")
    test.expect_told("slow", "")
    test.put_ids("slow", 20)
    test.proxy.bytes_a_second = 500
    test.flush_fails("slow", "s3://slow", test.endpoint, "cannot be reached")
    test.expect_told("slow", "cannot be reached")
    test.proxy.mode = "pass"
    test.flush("slow")
    test.expect_ids("slow", first, test.put)


def notices_changed_bytes(test):
    """An upload, or a part of one, does not reach the store as it was sent: the store sees it by the checksum, and it is sent again."""
    test.make("flipped")
    first = test.put
    test.put_ids("flipped")
    test.proxy.flip = b"PAR1"
    test.flush_fails("flipped", "s3://flipped", "CRC64NVME")
    if test.server.objects("flipped"):
        raise Broken("changed bytes are in the store")
    test.flush("flipped")
    test.expect_ids("flipped", first, test.put)
    lines = test.put_large("parts")
    test.proxy.flip = b"\x1f\x8b\x08"
    test.flush_fails("parts", "s3://parts", "CRC64NVME")
    test.flush("parts")
    test.expect_large("parts", lines)


def waits_for_the_bucket(test):
    test.broker.run("stream", "create", "missing", "--shards", "1")
    said = test.broker.create("missing-lake", "missing", "missing")
    if "there is no such bucket" not in said:
        raise Broken(f"creation does not warn of the missing bucket: {said}")
    first = test.put
    test.put_ids("missing")
    test.flush_fails("missing", "s3://missing", "there is no such bucket")
    test.server.make_bucket("missing")
    test.flush("missing")
    test.expect_ids("missing", first, test.put)


def survives_kill(test):
    """SIGKILL when the object is there and the broker does not know: the same object again, once."""
    test.make("killed")
    first = test.put
    test.put_ids("killed")
    test.proxy.after_put = lambda: test.broker.process.send_signal(signal.SIGKILL)
    test.broker.flush_until_killed("killed-lake")
    left = list((test.broker.home / "data" / "uploads").iterdir())
    if left:
        raise Broken(f"a spool is left behind: {left}")
    before = test.server.version("killed", test.one_object("killed"))
    test.broker.start()
    test.flush("killed")
    if test.server.version("killed", test.one_object("killed")) != before:
        raise Broken("the object was written a second time")
    test.expect_ids("killed", first, test.put)


def keeps_foreign_objects(test):
    """The key exists with other bytes: nothing is overwritten."""
    test.make("foreign")
    first = test.put
    test.put_ids("foreign")
    test.proxy.after_put = lambda: test.broker.process.send_signal(signal.SIGKILL)
    test.broker.flush_until_killed("foreign-lake")
    key = test.one_object("foreign")
    garbage = bytes(len(test.server.read("foreign", key)))
    test.server.write("foreign", key, garbage)
    test.broker.start()
    said = test.broker.run("delivery", "flush", "foreign-lake", fails=True)
    if "holds other bytes" not in said or test.server.read("foreign", key) != garbage:
        raise Broken(f"a foreign object is not left alone: {said}")
    test.server.remove("foreign", key)
    test.flush("foreign")
    test.expect_ids("foreign", first, test.put)


def delivers_over_tls(test):
    """A server of its own, named by the bucket's root, with a certificate that nobody else trusts."""
    home = test.broker.home
    pair = home / "certificate.pem", home / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True)
    (home / "tls").mkdir()
    server = world.Server(test.server.program, home / "tls", certificate=pair)
    server.start()
    try:
        server.make_bucket("secure")
        test.broker.run("stream", "create", "secure", "--shards", "1")
        first = test.put
        test.put_ids("secure")
        root = f"s3://secure?endpoint_override=localhost:{server.port}&scheme=https"
        test.broker.stop()
        test.broker.start(delivery__buckets__secure=root)
        test.broker.create("secure-lake", "secure", "secure")
        test.flush_fails("secure", "s3://secure", f"https://localhost:{server.port}")
        test.broker.stop()
        test.broker.start(delivery__buckets__secure=root, delivery__ca_file=pair[0])
        test.flush("secure")
        (home / "verify.toml").write_text(f'[delivery]\nca_file = "{pair[0]}"\n')
        verdict = json.loads(test.broker.run("--json", "verify", "secure-lake", "--config", home / "verify.toml"))
        if not verdict["proven"] or verdict["rows"] != test.put - first or len(server.objects("secure")) != 1:
            raise Broken(f"verify says: {verdict}")
    finally:
        server.stop()


PROMISES = [delivers, delivers_in_parts, finds_tampering, waits_for_the_server, waits_for_a_hanging_server, waits_for_a_slow_server,
            refuses_wrong_credentials, waits_for_credentials, waits_for_room, waits_for_a_full_disk, notices_changed_bytes, waits_for_the_bucket,
            survives_kill, keeps_foreign_objects, delivers_over_tls]


def keep(promises, test):
    try:
        test.broker.start()
        for promise in promises:
            began = time.monotonic()
            promise(test)
            print(f"{promise.__name__}: kept, {time.monotonic() - began:.1f} s", flush=True)
    finally:
        test.broker.stop(signal.SIGKILL)


def run(arguments, program, python, home):
    server = world.Server(program, home)
    try:
        server.start()
        keep(PROMISES, Test(arguments, server, python, home))
    finally:
        server.stop()


if __name__ == "__main__":
    world.main(__doc__, "s3", run)
