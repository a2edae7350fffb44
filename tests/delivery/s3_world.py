"""What the tests of object stores stand on: a real S3 server (versitygw), a proxy in front of it that misbehaves on demand, and a broker."""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from acknowledged import Broken

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "compat"))

import packages  # noqa: E402

VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
ACCESS, SECRET = "sluice", "sluice-local"
START_TIMEOUT_S = 60
SLOW_PIECE_BYTES = 256
SKIPPED = 77


def versitygw(build):
    """The server's program; None, with the reason printed, where it cannot be had."""
    return packages.go_program(build / "_versitygw", VERSITYGW)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, done, timeout_s=START_TIMEOUT_S):
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            raise Broken(f"waited {timeout_s} s in vain: {what}")
        time.sleep(0.01)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Server:
    """versitygw over a directory: buckets are directories, objects are files, which lets the test look, and change them, without S3."""

    def __init__(self, program, home, certificate=None):
        self.program = program
        self.home = home
        self.buckets = home / "s3"
        self.buckets.mkdir()
        self.certificate = certificate  # (certificate, key): TLS
        self.port = free_port()
        self.process = None

    def start(self):
        command = [self.program, "--access", ACCESS, "--secret", SECRET, "--region", "us-east-1", "--port", f"127.0.0.1:{self.port}"]
        if self.certificate:
            command += ["--cert", self.certificate[0], "--key", self.certificate[1]]
        with (self.home / "s3.log").open("ab") as log:
            self.process = subprocess.Popen([*command, "posix", self.buckets], stdout=log, stderr=log)
        wait_for("the S3 server listens", lambda: listens(self.port))

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def make_bucket(self, bucket):
        (self.buckets / bucket).mkdir()

    def objects(self, bucket):
        """Their keys."""
        files = (path.relative_to(self.buckets / bucket) for path in (self.buckets / bucket).rglob("*") if path.is_file())
        return sorted(str(path) for path in files if ".sgwtmp" not in path.parts)

    def read(self, bucket, key):
        return (self.buckets / bucket / key).read_bytes()

    def write(self, bucket, key, data):
        (self.buckets / bucket / key).write_bytes(data)

    def remove(self, bucket, key):
        (self.buckets / bucket / key).unlink()

    def version(self, bucket, key):
        """What is another one when the object is written again."""
        status = (self.buckets / bucket / key).stat()
        return status.st_mtime_ns, status.st_ino


class Proxy:
    """In front of the server: passes bytes on, or not. `mode`: pass, refuse (connections are closed), hang (nothing moves), slow (`bytes_a_second` in each
    direction of a connection).

    `after_put` is called once, when the server has done a PUT or POST and the client does not know yet; that answer is lost. `error`, a status and a code, is
    the answer to every request but for the next `spared` ones. Where a request has the bytes `flip`, they are changed, once."""

    def __init__(self, target):
        self.target = target
        self.mode = "pass"
        self.bytes_a_second = 0
        self.after_put = None
        self.error = None
        self.spared = 0
        self.flip = None
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.mode == "refuse":
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                state = {"put": False}
                back = threading.Thread(target=self.pump, args=(server, client, state, False), daemon=True)
                back.start()
                self.pump(client, server, state, True)
                back.join()
        except OSError:
            pass
        finally:
            client.close()

    def pump(self, source, sink, state, forward):
        state["source" if forward else "target"] = source
        try:
            while data := source.recv(1 << 16):
                while self.mode == "hang":
                    time.sleep(0.01)
                if self.mode == "refuse" or self.lost(data, state, forward):
                    break
                self.send(self.damaged(data) if forward else data, sink)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def lost(self, data, state, forward):
        if forward:
            method = data.split(b" ", 1)[0]
            if method in (b"GET", b"HEAD", b"PUT", b"POST", b"DELETE"):
                self.requests.append(data.split(b"\r\n", 1)[0].decode())
                state["put"] = method in (b"PUT", b"POST")
                self.spared -= 1
                if self.error and self.spared < 0:
                    self.answer(data, state["source"], *self.error)
                    return True
        elif state["put"] and self.after_put and data.startswith(b"HTTP/") and data.split(b" ", 2)[1] in (b"200", b"201"):
            hook, self.after_put = self.after_put, None
            hook()
            return True
        return False

    def send(self, data, sink):
        while data and self.mode == "slow":
            piece, data = data[:SLOW_PIECE_BYTES], data[SLOW_PIECE_BYTES:]
            time.sleep(len(piece) / self.bytes_a_second)
            sink.sendall(piece)
        sink.sendall(data)

    def damaged(self, data):
        if self.flip is None or self.flip not in data:
            return data
        flip, self.flip = self.flip, None
        return data.replace(flip, bytes(byte ^ 1 for byte in flip), 1)

    @staticmethod
    def answer(data, client, status, code):
        """To a request that begins with `data`, once it is read."""
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        while length and len(body) < int(length[1]) and (more := client.recv(1 << 16)):
            body += more
        text = f"<Error><Code>{code}</Code><Message>made by the test</Message></Error>"
        client.sendall(f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(text)}\r\n"
                       f"Connection: close\r\n\r\n{text}".encode())


class Broker:
    def __init__(self, sluice, home, settings, environment=None):
        self.sluice = sluice
        self.home = home
        self.settings = settings
        self.environment = environment or {}
        self.ports = home / "data" / "ports.json"
        self.process = None

    def start(self, **settings):
        """With more settings; `__` stands for a dot."""
        self.ports.unlink(missing_ok=True)
        command = [self.sluice, "serve", "--data", self.home / "data", "--set", "storage.allow_volatile=true"]
        fixed = {f"{door}port": 0 for door in ("native.", "admin.", "aws.", "aws.tls_")}
        for key, value in (fixed | self.settings | {key.replace("__", "."): value for key, value in settings.items()}).items():
            command += ["--set", f"{key}={value}"]
        with (self.home / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.clean_environment(), stdout=log, stderr=log)
        wait_for("the broker starts", lambda: self.ports.exists() or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise Broken("the broker does not start:\n" + self.log()[-2000:])

    def clean_environment(self):
        """Without what this machine knows of clouds."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "AZURE_", "GOOGLE_", "SLUICE_"))}
        return kept | {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.home)} | self.environment

    def stop(self, number=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def flush_until_killed(self, name):
        """A flush during which somebody kills the broker."""
        try:
            self.run("delivery", "flush", name)
        except Broken:
            pass
        try:
            self.process.wait(timeout=START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Broken("the broker was not killed: nothing was uploaded") from None

    def run(self, *arguments, fails=False, **options):
        port = json.loads(self.ports.read_text())["native"]
        done = subprocess.run([self.sluice, "--broker", f"127.0.0.1:{port}", *arguments], env=self.clean_environment(),
                              capture_output=True, text=True, check=False, **options)
        if fails != (done.returncode != 0):
            raise Broken(f"sluice {' '.join(map(str, arguments))}: exit {done.returncode}: {done.stdout[-2000:]}{done.stderr}\n{self.log()[-3000:]}")
        return done.stdout + done.stderr

    def create(self, name, stream, bucket, **destination):
        """A delivery stream of Parquet with the columns id and text, or those given; of the records as they are where `raw` is true."""
        raw = destination.pop("raw", False)
        columns = destination.pop("columns", [{"Name": "id", "Type": "bigint"}, {"Name": "text", "Type": "string"}])
        extended = {"RoleARN": "none", "BucketARN": f"arn:aws:s3:::{bucket}", "Prefix": "",
                    "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/", "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 900}}
        if not raw:
            extended["DataFormatConversionConfiguration"] = {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}
        document = {"DeliveryStreamName": name, "DeliveryStreamType": "KinesisStreamAsSource",
                    "KinesisStreamSourceConfiguration": {"KinesisStreamARN": stream, "RoleARN": "none"},
                    "ExtendedS3DestinationConfiguration": extended | destination,
                    "Sluice": {"StartPosition": "oldest"} | ({} if raw else {"Columns": columns})}
        path = self.home / f"{name}.json"
        path.write_text(json.dumps(document))
        return self.run("delivery", "create", "-f", path)

    def put(self, stream, lines):
        self.run("put", stream, "-", input="\n".join(lines) + "\n")

    def log(self):
        return (self.home / "serve.log").read_text(errors="replace")


def pyarrow_python(build):
    """An interpreter with pyarrow: this one, or one of an environment below the build directory."""
    import delivery_crash_test
    return delivery_crash_test.pyarrow_python(build)


def main(doc, name, run, server=versitygw):
    """Ends the program with what came of `run(arguments, program, python, home)`; `server` gives the program, or None where it cannot be had."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    program = server(arguments.build)
    if program is None:
        sys.exit(SKIPPED)
    try:
        python = pyarrow_python(arguments.build)
    except subprocess.CalledProcessError as error:
        print(f"skipped: pyarrow cannot be had here: {error}")
        sys.exit(SKIPPED)
    home = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{name}-"))
    try:
        run(arguments, program, python, home)
    except Broken as broken:
        print(f"BROKEN: {broken}\neverything is in {home}")
        sys.exit(1)
    shutil.rmtree(home)
