#!/usr/bin/env python3
"""What an operator sees of a full disk, and of the disk after it: `put` waits and says for what, /readyz and /metrics tell, reads go on;
with space again everything goes on by itself, and every record is there once.

    disk_full_test.py SLUICE

Exit codes: 0 as promised, 1 not so, 77 cannot run here.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import loop_disk

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tools"))
import golden_test  # noqa: E402

RECORDS = 1_200
RECORD_BYTES = 256 << 10  # together more than the journal has room for


def expect(condition, what, shown):
    if not condition:
        sys.exit(f"disk_full_test: {what}; shown was:\n{shown}")


def page(broker, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{broker.ports['admin']}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def fill(path, mount_point):
    """A file that takes all space there is; nothing is written for it."""
    with open(path, "wb") as file:
        size = os.statvfs(mount_point).f_bavail * os.statvfs(mount_point).f_frsize
        while size >= 4096:
            try:
                os.posix_fallocate(file.fileno(), file.tell(), size)
                file.seek(0, os.SEEK_END)
            except OSError:
                size //= 2


def walk_through(sluice, broker, disk, lines):
    environment = dict(os.environ, SLUICE_BROKER=f"127.0.0.1:{broker.ports['native']}", NO_PROGRESS="1")

    def run(*words, **options):
        return subprocess.run([sluice, *words], env=environment, capture_output=True, check=True, **options).stdout

    run("stream", "create", "orders")
    run("put", "orders", input=b"before\n")
    filler = disk.mount_point / "filler"
    fill(filler, disk.mount_point)
    put = subprocess.Popen([sluice, "put", "orders", lines], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    notice = put.stderr.readline().decode()
    expect("waiting" in notice and "disk" in notice, "put does not say what it waits for", notice)
    code, text = page(broker, "/readyz")
    expect(code == 503 and "the disk is full" in text, "/readyz does not tell", f"{code} {text}")
    expect("\nsluice_disk_full 1\n" in page(broker, "/metrics")[1], "/metrics does not tell", "")
    expect(run("get", "orders", "--limit", "1") == b"before\n", "records cannot be read", "")
    filler.unlink()
    shown, errors = put.communicate(timeout=golden_test.COMMAND_TIMEOUT_S)
    expect(put.returncode == 0, "put did not go on", shown + errors)
    expect(page(broker, "/readyz") == (200, "ready\n"), "/readyz does not tell that there is space again", "")
    got = run("get", "orders").split()
    expect(len(got) == RECORDS + 1 and len(set(got)) == RECORDS + 1, "not each record once", len(got))


def main():
    sluice = os.path.abspath(sys.argv[1])
    if reason := loop_disk.why_not("ext4"):
        print(reason)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        lines = directory / "lines"
        with lines.open("wb") as file:
            for number in range(RECORDS):
                file.write(b"%d-".ljust(RECORD_BYTES, b"x").replace(b"%d", b"%08d" % number) + b"\n")
        disk = loop_disk.LoopDisk(directory, "ext4")
        try:
            broker = golden_test.Broker(sluice, disk.mount_point)
            try:
                walk_through(sluice, broker, disk, lines)
            finally:
                broker.stop()
        finally:
            disk.close()
    print("a full disk is told, and passes")


if __name__ == "__main__":
    main()
