"""A file system on a loop device whose power can be cut: ext4 or XFS in a sparse file, shut down by the GOINGDOWN ioctl.

The ioctl drops everything that was not flushed to the disk, at once, and every later call fails. What it does not model: a
disk that reorders or loses flushed writes, and torn sectors (the in-process tests have those).
"""
import fcntl
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time

GOINGDOWN = 0x8004587D  # _IOR('X', 125, u32), the same for ext4 and XFS
NO_LOG_FLUSH = 2
IMAGE_BYTES = 4 << 30  # sparse: it takes what is written


def why_not(file_system):
    """The reason why there can be no loop disk here, or None."""
    if os.geteuid() != 0:
        return "power cuts need root (loop devices, mount)"
    for tool in ("losetup", f"mkfs.{file_system}", "mount", "umount"):
        if shutil.which(tool) is None:
            return f"power cuts on {file_system} need {tool}"
    if not pathlib.Path("/dev/loop-control").exists():
        return "power cuts need loop devices, and this machine has none"
    return None


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout.strip()


class LoopDisk:
    LOOP_OPTIONS = ()

    def __init__(self, directory, file_system):
        self.image = directory / f"{file_system}.img"
        self.mount_point = directory / f"{file_system}.mnt"
        self.mount_point.mkdir()
        with self.image.open("wb") as image:
            image.truncate(IMAGE_BYTES)
        run(f"mkfs.{file_system}", *{"ext4": ["-q", "-F"], "xfs": ["-q", "-f"]}[file_system], str(self.image))
        self.device = run("losetup", "-f", "--show", *self.LOOP_OPTIONS, str(self.backing()))
        self.mount()

    def backing(self):
        """The file below the loop device."""
        return self.image

    def mount(self):
        run("mount", self.device, str(self.mount_point))

    def cut_power(self, process):
        """Cuts the power of `process` (a session of its own) and gives the time of the cut in monotonic ns.

        All of its threads are stopped first: an fdatasync that is inside the kernel at the moment of the ioctl can return 0
        although its data is dropped, which no real power cut can show to anybody.
        """
        os.killpg(process.pid, signal.SIGSTOP)
        wait_until_stopped(process.pid)
        now = time.monotonic_ns()
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        fcntl.ioctl(descriptor, GOINGDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(descriptor)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        run("umount", str(self.mount_point))
        self.mount()
        return now

    def close(self):
        run("umount", str(self.mount_point))
        run("losetup", "-d", self.device)


def wait_until_stopped(pid):
    """Until every thread is stopped; those inside a disk call get there when the call ends."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        while (task / "stat").read_text().rpartition(")")[2].split()[0] not in "TtZX":
            time.sleep(0.0002)
