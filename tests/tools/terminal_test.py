#!/usr/bin/env python3
"""What the command line does on a terminal: help as wide as the window, progress on stderr, Ctrl-C in the middle of `put`.

    terminal_test.py SLUICE
"""
import fcntl
import os
import pathlib
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import golden_test

DEADLINE_S = 60


class Terminal:
    """A pseudo terminal of a given width; `screen` is all that was written to it."""

    def __init__(self, columns):
        self.control, self.end = pty.openpty()
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.set_blocking(self.control, False)
        self.screen = b""

    def read(self):
        try:
            self.screen += os.read(self.control, 1 << 16)
        except BlockingIOError:
            pass
        return self.screen.decode(errors="replace")

    def close(self):
        os.close(self.control)
        os.close(self.end)


def expect(condition, what, shown):
    if not condition:
        sys.exit(f"terminal_test: {what}; shown was:\n{shown}")


def help_fits_the_window(sluice):
    for columns in (60, 80, 200):
        terminal = Terminal(columns)
        subprocess.run([sluice, "put", "--help"], stdin=subprocess.DEVNULL, stdout=terminal.end, check=True)
        options = terminal.read().split("Options:")[1].split("Examples:")[0]
        widest = max(len(line.rstrip()) for line in options.splitlines())
        expect(widest <= columns, f"help is {widest} characters wide in a window of {columns}", options)
        terminal.close()


def feed_until(put, terminal, text):
    """Puts a line at a time until `text` is on the terminal; how many it took."""
    lines, deadline = 0, time.monotonic() + DEADLINE_S
    while text not in terminal.read():
        expect(time.monotonic() < deadline, f"'{text}' did not come", terminal.read())
        put.stdin.write(b"line\n")
        put.stdin.flush()
        lines += 1
        time.sleep(0.001)
    return lines


def put_sums_up_after_an_interrupt(sluice, environment):
    subprocess.run([sluice, "stream", "create", "orders"], env=environment, check=True, stdout=subprocess.DEVNULL)
    terminal = Terminal(50)
    put = subprocess.Popen([sluice, "put", "orders"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=terminal.end)
    feed_until(put, terminal, "records, ")
    put.send_signal(signal.SIGINT)
    summary = put.stdout.read().decode()
    expect(put.wait(timeout=DEADLINE_S) == 130, f"put ended with {put.returncode} after an interrupt", summary)
    expect(summary.startswith("Put ") and summary.endswith("acknowledged durable.\n"), "put did not sum up", summary)
    lines = [line.split("\x1b[K")[-1] for line in terminal.read().split("\r")]
    expect(max(map(len, lines)) < 50, "progress is wider than the window", lines)
    expect(terminal.read().endswith("\x1b[K"), "progress was not removed", terminal.read())
    read = subprocess.run([sluice, "get", "orders"], env=environment, capture_output=True, check=True).stdout.splitlines()
    expect(summary.startswith(f"Put {len(read):,} record"), f"{len(read)} records are there", summary)
    terminal.close()


def main():
    sluice = os.path.abspath(sys.argv[1])
    help_fits_the_window(sluice)
    with tempfile.TemporaryDirectory() as name:
        broker = golden_test.Broker(sluice, pathlib.Path(name))
        environment = {key: value for key, value in os.environ.items() if key != "NO_PROGRESS"}
        try:
            put_sums_up_after_an_interrupt(sluice, dict(environment, SLUICE_BROKER=f"127.0.0.1:{broker.ports['native']}"))
        finally:
            broker.stop()
    print("as it should be on a terminal")


if __name__ == "__main__":
    main()
