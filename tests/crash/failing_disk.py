"""A file system on a disk that fails on demand: reads, writes or flushes answered with EIO, of any part of it, or late.

The disk is a small NBD server in this process over a sparse image; nbdfuse shows it as a file, a loop device makes that a block
device, and a real ext4 or XFS stands on it. So the kernel meets a device error as it does on a bad disk: in its block layer, with the
pages that could not be written dropped or kept as that file system does.
"""
import errno
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading
import time

import loop_disk

READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
NAMES = {READ: "reads", WRITE: "writes", FLUSH: "flushes"}
# https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
SERVER_MAGIC, OPTION_MAGIC, REPLY_MAGIC = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9
REQUEST_MAGIC, SIMPLE_REPLY_MAGIC = 0x25609513, 0x67446698
FIXED_NEWSTYLE_NO_ZEROES = 3
OPTION_INFO, OPTION_GO, REPLY_ACK, REPLY_INFO, REPLY_UNSUPPORTED = 6, 7, 1, 3, 0x80000001
HAS_FLAGS_AND_FLUSH = 5
ATTACH_TIMEOUT_S = 30


def why_not(file_system):
    """The reason why there can be no failing disk here, or None."""
    if reason := loop_disk.why_not(file_system):
        return reason
    for tool, package in (("nbdfuse", "libnbd-bin"), ("filefrag", "e2fsprogs")):
        if shutil.which(tool) is None:
            return f"a disk that fails needs {tool} ({package})"
    return None if pathlib.Path("/dev/fuse").exists() else "a disk that fails needs /dev/fuse"


class Faults:
    """What the disk does to a request; may be changed at any time, from any thread."""

    def __init__(self):
        self.failing = {}  # kind -> function of (first byte, byte behind the last) that says whether this one fails
        self.write_delay_s = 0.0
        self.failed = dict.fromkeys(NAMES, 0)

    def heal(self):
        self.failing = {}
        self.write_delay_s = 0.0

    def meet(self, kind, begin, end):
        """0 or an errno."""
        if kind == WRITE and self.write_delay_s:
            time.sleep(self.write_delay_s)
        fails = self.failing.get(kind)
        if fails is None or not fails(begin, end):
            return 0
        self.failed[kind] += 1
        return errno.EIO


class NbdServer:
    """Serves one image to one client on a Unix socket, in a thread of its own, until the client goes away."""

    def __init__(self, image, path, faults):
        self.image = os.open(image, os.O_RDWR)
        self.bytes = os.fstat(self.image).st_size
        self.faults = faults
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.close()
        self.thread.join()
        os.close(self.image)

    def _serve(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as requests:
            try:
                self._shake_hands(connection, requests)
                while self._answer(connection, requests):
                    pass
            except (ConnectionError, struct.error):  # the client has gone
                return

    def _shake_hands(self, connection, requests):
        connection.sendall(struct.pack(">QQH", SERVER_MAGIC, OPTION_MAGIC, FIXED_NEWSTYLE_NO_ZEROES))
        requests.read(4)  # the client's flags
        while True:
            _, option, length = struct.unpack(">QII", requests.read(16))
            requests.read(length)
            known = option in (OPTION_INFO, OPTION_GO)
            if known:
                info = struct.pack(">HQH", 0, self.bytes, HAS_FLAGS_AND_FLUSH)
                connection.sendall(struct.pack(">QIII", REPLY_MAGIC, option, REPLY_INFO, len(info)) + info)
            connection.sendall(struct.pack(">QIII", REPLY_MAGIC, option, REPLY_ACK if known else REPLY_UNSUPPORTED, 0))
            if option == OPTION_GO:
                return

    def _answer(self, connection, requests):
        """One request; False after the last."""
        _, _, kind, cookie, begin, length = struct.unpack(">IHHQQI", requests.read(28))
        if kind == DISCONNECT:
            return False
        data = requests.read(length) if kind == WRITE else b""
        error = self.faults.meet(kind, begin, begin + length)
        if error == 0 and kind == WRITE:
            os.pwrite(self.image, data, begin)
        found = os.pread(self.image, length, begin) if error == 0 and kind == READ else b""
        # What is written stays in the page cache of the machine: the disk loses no power here, so a flush has nothing to do.
        connection.sendall(struct.pack(">IIQ", SIMPLE_REPLY_MAGIC, error, cookie) + found)
        return True


class FailingDisk(loop_disk.LoopDisk):
    LOOP_OPTIONS = ("--direct-io=on",)  # else the kernel would remember what stands in the file that nbdfuse shows

    def __init__(self, directory, file_system):
        self.faults = Faults()
        self.disk = directory / "disk"
        self.socket = directory / "nbd.socket"
        self.server = self.fuse = None
        super().__init__(directory, file_system)

    def backing(self):
        self.server = NbdServer(self.image, self.socket, self.faults)
        self.disk.touch()
        self.fuse = subprocess.Popen(["nbdfuse", str(self.disk), "--unix", str(self.socket)], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + ATTACH_TIMEOUT_S
        while self.disk.stat().st_size != self.server.bytes:
            if self.fuse.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nbdfuse does not show the disk at {self.disk}")
            time.sleep(0.01)
        return self.disk

    def fail(self, kind, which=lambda begin, end: True):
        """From now on; `faults.failed` counts from here."""
        self.faults.failed[kind] = 0
        self.faults.failing = self.faults.failing | {kind: which}

    def remount(self):
        """Nobody may use the file system. What the kernel holds in its memory of it is gone after this."""
        loop_disk.run("umount", str(self.mount_point))
        self.mount()

    def takes_writes(self):
        """Whether the file system itself goes on, or has given up writing because of what it met."""
        try:
            probe = os.open(self.mount_point / "probe", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError:
            return False
        try:
            os.write(probe, b"probe")
            os.fsync(probe)
            return True
        except OSError:
            return False
        finally:
            os.close(probe)

    def gives_reads(self):
        """Whether the file system itself can still be read; XFS shuts everything down where it cannot write its own log."""
        try:
            os.listdir(self.mount_point)
            return True
        except OSError:
            return False

    def places_of(self, path):
        """Where the bytes of a file stand on the disk: [(first byte, byte behind the last)]."""
        places = []
        for line in loop_disk.run("filefrag", "-v", "-b1", str(path)).splitlines():
            words = line.replace(":", " ").replace("..", " ").split()
            if words and words[0].isdigit():  # extent, first and last byte in the file, first and last byte on the disk
                places.append((int(words[3]), int(words[4]) + 1))
        return places

    def close(self):
        self.faults.heal()
        super().close()
        loop_disk.run("umount", str(self.disk))
        self.fuse.wait()
        self.server.close()
