"""What tests get from registries, below the build directory: packages from PyPI, each in an environment of its own, and programs in Go."""
import fcntl
import importlib.metadata
import os
import shutil
import subprocess
import sys
import venv

SKIPPED = 77
BOTO3 = "boto3==1.44.8"


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


def go_program(home, package):
    """The program of a package of the Go module proxy ("PATH@VERSION"), compiled once; None, with the reason printed, where it cannot be had."""
    program = home / package.partition("@")[0].rpartition("/")[2]
    done = home / "done"
    if done.exists() and done.read_text() == package:
        return program
    if shutil.which("go") is None:
        print("skipped: there is no go")
        return None
    home.mkdir(exist_ok=True)
    environment = os.environ | {"GOBIN": str(home), "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw -buildvcs=false"}
    install = subprocess.run(["go", "install", package], env=environment, capture_output=True, text=True, check=False)
    if install.returncode != 0:
        print(f"skipped: {package} cannot be had: {install.stderr.strip()[-500:]}")
        return None
    done.write_text(package)
    return program


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
