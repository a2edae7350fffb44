#!/usr/bin/env python3
"""The smallest log that keeps its promise, and one that does not: they prove that the power cuts find what they are for.

    toy_log.py good|no-sync DIR HISTORY NAME    appends records to DIR/log until it is killed
    toy_log.py read DIR                                   writes the whole lines of DIR/log
"""
import hashlib
import os
import sys
import time

from check_history import entry, payload


def whole_lines(path):
    try:
        with open(path, "rb") as log:
            content = log.read()
    except FileNotFoundError:
        return []
    lines = content.split(b"\n")[:-1]
    while lines and (b"\0" in lines[-1] or len(lines[-1].split()) != 5):
        lines.pop()
    return lines


def write(mode, directory, history, name):
    path = f"{directory}/log"
    lines = whole_lines(path)
    log = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    os.ftruncate(log, sum(len(line) + 1 for line in lines))
    os.fsync(log)
    parent = os.open(directory, os.O_RDONLY)
    os.fsync(parent)
    end = os.lseek(log, 0, os.SEEK_END)
    offset = len(lines)
    notes = os.open(history, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
    os.write(notes, entry(f"producer {name}"))
    for sequence in range(1 << 60):
        value = payload(name, sequence)
        os.write(notes, entry(f"i {sequence} 0 {time.monotonic_ns()}"))
        line = f"0 {offset} {f'{name}:{sequence}'.encode().hex()} {len(value)} {hashlib.md5(value).hexdigest()}\n".encode()
        end += os.pwrite(log, line, end)
        if mode != "no-sync":
            os.fdatasync(log)
        os.write(notes, entry(f"o {sequence} 0 {offset} {time.monotonic_ns()}"))
        offset += 1


def main():
    if sys.argv[1] == "read":
        sys.stdout.buffer.writelines(line + b"\n" for line in whole_lines(f"{sys.argv[2]}/log"))
    else:
        write(*sys.argv[1:5])


if __name__ == "__main__":
    main()
