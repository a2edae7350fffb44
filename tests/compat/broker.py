"""A `sluice serve` of its own for the compatibility tests: in a temporary directory, on free ports of the loopback."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time

START_TIMEOUT_S = 120
ACCESS_KEY = "compat"
SECRET_KEY = "compat-secret"


class Broken(Exception):
    """A promise is broken."""


class Broker:
    def __init__(self, build):
        self.binary = pathlib.Path(build) / "tools" / "sluice"
        self.directory = tempfile.TemporaryDirectory(prefix="sluice-compat-")
        self.home = pathlib.Path(self.directory.name)
        self.ports = self.home / "data" / "ports.json"
        self.process = None
        self.port = 0  # any free one at the first start, the same later: clients find the broker where it was
        self.tls_port = 0  # the same

    def start(self):
        self.ports.unlink(missing_ok=True)
        keys = self.home / "master.keys"
        if not keys.exists():
            subprocess.run([self.binary, "key", "new", keys], check=True, stdout=subprocess.DEVNULL)
        settings = ["native.port=0", "admin.port=0", f"aws.port={self.port}", f"aws.tls_port={self.tls_port}", "storage.allow_volatile=true",
                    f"encryption.key_file={keys}",
                    f"aws.access_keys.{ACCESS_KEY}={SECRET_KEY}"]
        command = [self.binary, "serve", "--data", self.home / "data", "--lake", self.home / "lake"]
        for setting in settings:
            command += ["--set", setting]
        with (self.home / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.ports.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Broken("the broker does not start:\n" + self.log())
            time.sleep(0.01)
        ports = json.loads(self.ports.read_text())
        self.port = ports["aws"]
        self.tls_port = ports["aws_tls"]

    def stop(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait()

    def run(self, *arguments):
        """What a command of the command line prints."""
        port = json.loads(self.ports.read_text())["native"]
        done = subprocess.run([self.binary, "--broker", f"127.0.0.1:{port}", *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"sluice {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def log(self):
        return (self.home / "serve.log").read_text(errors="replace")

    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def tls_endpoint(self):
        return f"https://localhost:{self.tls_port}"

    def certificate(self):
        """The broker's own, which clients are to trust."""
        return self.home / "data" / "tls" / "certificate.pem"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.directory.cleanup()
