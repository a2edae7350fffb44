"""Packages from PyPI, each in an environment of its own below the build directory, for the tests with clients in Python."""
import fcntl
import importlib.metadata
import subprocess
import sys
import venv

SKIPPED = 77


def interpreter(home, package):
    """The Python of an environment with this package ("NAME==VERSION"); None, with the reason printed, where it cannot be had."""
    python = home / "bin" / "python"
    done = home / f"{package}.done"
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several tests use one environment
        if not done.exists():
            if not python.exists():
                venv.create(home, with_pip=True)
            install = subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-compile", package], capture_output=True, text=True, check=False)
            if install.returncode != 0:
                print(f"skipped: {package} cannot be installed: {install.stderr.strip()[-500:]}")
                return None
            done.touch()
    return python


def is_here(package):
    """Whether this Python has the package in the same major version, and not an older one: that has an older model of the services."""
    name, version = package.split("==")
    try:
        here, wanted = ([int(part) for part in text.split(".")] for text in (importlib.metadata.version(name), version))
    except importlib.metadata.PackageNotFoundError:
        return False
    return here[0] == wanted[0] and here >= wanted


def enter(home, package):
    """Starts this program again in an environment with the package, where this one has none."""
    if is_here(package):
        return
    python = interpreter(home, package)
    sys.exit(SKIPPED if python is None else subprocess.run([python, "-B", *sys.argv], check=False).returncode)
