#!/usr/bin/env python3
"""Holds docs/cli.md against the program: every command and option that --help shows stands in the command's section, and every
option in a section's synopsis is one that --help shows.

    cli_page_test.py SLUICE PAGE
"""
import pathlib
import re
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def help_of(sluice, path):
    return subprocess.run([sluice, *path, "--help"], capture_output=True, text=True, check=True).stdout


def block(text, heading):
    """The indented lines below a heading of the help."""
    found = re.search(rf"^{heading}:\n((?:  .*\n)+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def tree(sluice, path=()):
    """Yields (path, names of its own options) of every command."""
    text = help_of(sluice, path)
    commands = re.findall(r"^  ([a-z-]+) ", block(text, "Commands"), re.MULTILINE)
    options = {name for line in re.findall(r"^  (-.*)$", block(text, "Options"), re.MULTILINE) for name in OPTION.findall(line.split("  ")[0])}
    yield path, options
    for command in commands:
        yield from tree(sluice, (*path, command))


def sections(page):
    """Heading -> text of its section; a heading such as "get, tail" names two commands."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {name.strip(): text for names, text in zip(parts[1::2], parts[2::2]) for name in names.split(",")}


def synopsis_options(text):
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    return {option for line in lines for option in OPTION.findall(line)}


def findings(sluice, page):
    by_command = sections(page)
    known, everywhere = {}, set(OPTION.findall(block(help_of(sluice, ()), "Options of every command")))
    for path, options in tree(sluice):
        if not path:
            continue
        text = by_command.get(path[0])
        if text is None:
            yield f"no section '## {path[0]}'"
            continue
        known.setdefault(path[0], set()).update(options)
        if len(path) > 1 and not re.search(rf"\b{path[1]}\b", text):
            yield f"section '{path[0]}' does not name the command '{path[1]}'"
        yield from (f"section '{path[0]}' does not name {option}" for option in sorted(options) if option not in text)
    for command, options in known.items():
        shared = [other for other in known if by_command[other] == by_command[command]]
        allowed = set().union(everywhere, *(known[other] for other in shared))
        yield from (f"section '{command}' shows {option}, which --help does not"
                    for option in sorted(synopsis_options(by_command[command]) - allowed))
    yield from (f"'{option}' is not in the table of common options" for option in sorted(everywhere) if option not in page.split("## ")[0])


def main():
    found = list(findings(sys.argv[1], pathlib.Path(sys.argv[2]).read_text()))
    print("\n".join(f"{sys.argv[2]}: {line}" for line in found) or "the page and the program agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
