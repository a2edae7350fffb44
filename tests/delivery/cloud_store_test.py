#!/usr/bin/env python3
"""A broker that delivers to Google's and Azure's object stores: to emulators of them, read back by pyarrow and by `sluice verify`.

    cloud_store_test.py --build build/release --store google|azure

Both emulators come from their registries (gcp-storage-emulator from PyPI, Azurite from npm). What is shown: objects arrive, with their Content-Type;
the broker killed after an upload finds its own object; a store that is away is waited for; a bucket that is missing is told. Exit code 0 kept,
1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "compat"))

import packages  # noqa: E402
import s3_world as world  # noqa: E402
from s3_world import Broken  # noqa: E402

SKIPPED = 77
EMULATOR = "gcp-storage-emulator==2026.7.19"
AZURITE = "azurite@3.37.0"
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # Azurite's own, of everybody

OPEN = {
    "google": "fs.GcsFileSystem(anonymous=True, scheme='http', endpoint_override=endpoint, project_id='test')",
    "azure": f"fs.AzureFileSystem(account_name='{ACCOUNT}', account_key='{ACCOUNT_KEY}', blob_storage_authority=endpoint, dfs_storage_authority=endpoint, "
             "blob_storage_scheme='http', dfs_storage_scheme='http')",
}
MAKE_BUCKET = "store.create_dir(sys.argv[2])"
READ_IDS = """
ids, types = [], set()
for info in store.get_file_info(fs.FileSelector(sys.argv[2], recursive=True)):
    if info.path.endswith(".parquet"):
        with store.open_input_stream(info.path) as stream:
            types.add((stream.metadata() or {}).get("Content-Type", b"?").decode())
        ids += parquet.read_table(info.path, columns=["id"], filesystem=store, partitioning=None).column("id").to_pylist()
json.dump({"ids": ids, "types": sorted(types)}, sys.stdout)
"""


class Google:
    def __init__(self, build, home):
        self.python = packages.interpreter(build / "_google", EMULATOR)
        self.home = home
        self.root = "gs://"
        self.settings = {"delivery.google.anonymous": "true", "delivery.google.timeout": "2s"}

    def command(self, port):
        return [self.python.parent / "gcp-storage-emulator", "-d", self.home / "store", "start", "--host=127.0.0.1", f"--port={port}"]

    def place(self, bucket, port):
        return f"gs://{bucket}?endpoint_override=127.0.0.1%3A{port}&scheme=http"

    def available(self):
        return self.python is not None


class Azure:
    def __init__(self, build, home):
        self.program = None
        self.home = home
        self.settings = {"delivery.azure.account_key": ACCOUNT_KEY}
        place = build / "_azurite"
        program = place / "node_modules" / ".bin" / "azurite-blob"
        if not program.exists() and shutil.which("npm"):
            place.mkdir(exist_ok=True)
            (place / "package.json").write_text("{}")
            install = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", AZURITE], cwd=place, capture_output=True, text=True, check=False)
            if install.returncode != 0:
                print(f"skipped: {AZURITE} cannot be installed: {install.stderr.strip()[-500:]}")
        if program.exists():
            self.program = program

    def command(self, port):
        return [self.program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", self.home / "store", "--silent", "--skipApiVersionCheck"]

    def place(self, bucket, port):
        return f"abfss://{ACCOUNT}@127.0.0.1:{port}/{bucket}?enable_tls=false"

    def available(self):
        return self.program is not None


class Test:
    def __init__(self, arguments, store, python, home):
        self.kind = arguments.store
        self.store = store
        self.python = python
        self.home = home
        (home / "store").mkdir()
        self.port = world.free_port()
        with (self.home / "store.log").open("ab") as log:
            self.process = subprocess.Popen(self.store.command(self.port), stdout=log, stderr=log)
        world.wait_for("the emulator listens", lambda: world.listens(self.port))
        self.proxy = world.Proxy(self.port)
        buckets = {f"delivery.buckets.{bucket}": self.store.place(bucket, self.proxy.port) for bucket in ("plain", "missing")}
        self.broker = world.Broker(arguments.build / "tools" / "sluice", home, buckets | store.settings | {"delivery.lake_dir": home / "lake"})

    def stop_store(self):
        self.process.kill()
        self.process.wait()

    def pyarrow(self, program, bucket):
        opened = f"import json, sys\nimport pyarrow.parquet as parquet\nfrom pyarrow import fs\nendpoint = sys.argv[1]\nstore = {OPEN[self.kind]}\n"
        done = subprocess.run([self.python, "-c", opened + program, f"127.0.0.1:{self.port}", bucket], capture_output=True, text=True, check=False, timeout=60)
        if done.returncode != 0:
            raise Broken(f"pyarrow: {done.stderr[-2000:]}")
        return done.stdout

    def put(self, bucket, first, count):
        self.broker.put(bucket, [json.dumps({"id": number, "text": "x" * 50}) for number in range(first, first + count)])

    def deliver(self, bucket, first, count, fails=False):
        self.put(bucket, first, count)
        return self.broker.run("delivery", "flush", f"{bucket}-lake", fails=fails)

    def expect_ids(self, bucket, count):
        found = json.loads(self.pyarrow(READ_IDS, bucket))
        if sorted(found["ids"]) != list(range(count)):
            raise Broken(f"{bucket}: {len(found['ids'])} rows, {len(set(found['ids']))} different, expected {count}")
        if found["types"] != ["application/octet-stream"]:
            raise Broken(f"Content-Type is {found['types']}")
        said = self.broker.run("verify", f"{bucket}-lake", "--config", self.config())
        if "PROVEN" not in said:
            raise Broken(f"verify says: {said}")

    def config(self):
        path = self.home / "verify.toml"
        path.write_text({"google": "[delivery.google]\nanonymous = true\n", "azure": f'[delivery.azure]\naccount_key = "{ACCOUNT_KEY}"\n'}[self.kind])
        return path


def run(test):
    broker = test.broker
    broker.start()
    test.pyarrow(MAKE_BUCKET, "plain")
    for name in ("plain", "missing"):
        broker.run("stream", "create", name, "--shards", "1")
        broker.create(f"{name}-lake", name, name)
    test.deliver("plain", 0, 1000)
    test.expect_ids("plain", 1000)
    # The store is away and comes back.
    test.proxy.mode = "refuse"
    said = test.deliver("plain", 1000, 1000, fails=True)
    if "nothing is lost" not in said or str(test.proxy.port) not in said:
        raise Broken(f"a store that is away: {said}")
    test.proxy.mode = "pass"
    broker.run("delivery", "flush", "plain-lake")
    test.expect_ids("plain", 2000)
    # The broker dies when the store has taken something of an object.
    test.proxy.after_put = lambda: broker.process.send_signal(signal.SIGKILL)
    test.put("plain", 2000, 1000)
    broker.flush_until_killed("plain-lake")
    broker.start()
    broker.run("delivery", "flush", "plain-lake")
    test.expect_ids("plain", 3000)
    said = test.deliver("missing", 0, 100, fails=True)
    if "there is no such bucket" not in said:
        raise Broken(f"a missing bucket: {said}")
    test.pyarrow(MAKE_BUCKET, "missing")
    broker.run("delivery", "flush", "missing-lake")
    test.expect_ids("missing", 100)
    broker.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--store", choices=["google", "azure"], required=True)
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    home = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{arguments.store}-"))
    store = {"google": Google, "azure": Azure}[arguments.store](arguments.build, home)
    if not store.available():
        print(f"skipped: there is no emulator of {arguments.store}")
        home.rmdir()
        return SKIPPED
    python = world.pyarrow_python(arguments.build)
    test = Test(arguments, store, python, home)
    began = time.monotonic()
    try:
        run(test)
    except Broken as broken:
        print(f"BROKEN: {broken}\neverything is in {home}")
        return 1
    finally:
        test.broker.stop(signal.SIGKILL)
        test.stop_store()
    shutil.rmtree(home)
    print(f"{arguments.store}: kept, {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
