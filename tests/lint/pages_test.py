#!/usr/bin/env python3
"""Holds the pages against the tree: links lead somewhere, paths named in them exist, commands in them can be typed as they stand,
docs/guarantees.md names tests that there are, docs/sdk.md has every option of the SDK's headers.

    pages_test.py SOURCE_TREE BUILD_TREE
"""
import fnmatch
import os
import pathlib
import re
import sys

LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
FOLDERS = "protocol|storage|broker|client|tools|tests|docs|docker|cmake"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./*{{}},-]*\.\w+)`")
COMMAND = re.compile(rf"^    (?:\w+=\S+ )*((?:{FOLDERS})/[\w./-]*\.(?:py|sh))\b", re.MULTILINE)
TEST = re.compile(r'`((?:broker|cli|client|compat|crash|delivery|protocol|storage)_[a-z0-9_*]+)`(?: "([^"]+)")?')
OPTION = re.compile(r"^  [\w:<>]+(?: [\w:<>]+)? (\w+)(?:\{[^;]*\}| = [^;]*)?;", re.MULTILINE)


def pages(tree):
    places = [tree, tree / "docs", *(tree / folder for folder in FOLDERS.split("|"))]
    return sorted({page for place in places for page in place.glob("*.md")} | set((tree / "protocol").rglob("*.md")))


def anchors(text):
    """The anchors of a page's headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page, text):
    for target, anchor in LINK.findall(text):
        if "://" in target:
            continue
        there = page if not target else page.parent / target
        if not there.exists():
            yield f"links to {target}, which is not there"
        elif anchor and anchor not in anchors(there.read_text()):
            yield f"links to {target}#{anchor}, which has no such heading"


def missing_paths(tree, text):
    for path in PATH.findall(text):
        if not any(tree.glob(path)):
            yield f"names {path}, which is not there"


def refused_commands(tree, text):
    for path in COMMAND.findall(text):
        if not os.access(tree / path, os.X_OK):
            yield f"has the command {path}, which cannot be executed"


def known_tests(build):
    """What ctest runs, read from its files: a ctest that lists them takes the place of the log of the one that this runs under."""
    files = [path.read_text() for path in build.rglob("CTestTestfile.cmake")]
    return [name for text in files for name in re.findall(r"^add_test\((?:\[=*\[)?([\w.-]+)", text, re.MULTILINE)]


def missing_tests(tree, build, text):
    known = known_tests(build)
    cases = "\n".join(path.read_text() for path in (tree / "tests").rglob("*_test.cc"))
    cases = re.sub(r'"\s*\n\s*"', "", cases)
    for name, case in TEST.findall(text):
        if not fnmatch.filter(known, name):
            yield f"names the test {name}, which ctest does not know"
        if case and case not in cases:
            yield f"names the case '{case}' of {name}, which is in no test"


def missing_options(tree, text):
    for header in ("producer", "resumable_producer", "consumer", "types"):
        source = (tree / "client/include/sluice" / f"{header}.h").read_text()
        for name, body in re.findall(r"struct (\w+Options) \{\n(.*?)\n\};", source, re.DOTALL):
            for option in OPTION.findall(body):
                if f"| `{option}` |" not in text:
                    yield f"has no row for {name}::{option}"


def main():
    tree, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = []
    for page in pages(tree):
        text = page.read_text()
        problems = [*broken_links(page, text), *missing_paths(tree, text), *refused_commands(tree, text)]
        if page.name == "guarantees.md":
            problems += missing_tests(tree, build, text)
        if page.name == "sdk.md":
            problems += missing_options(tree, text)
        found += [f"{page.relative_to(tree)} {problem}" for problem in problems]
    print("\n".join(found) or f"{len(pages(tree))} pages agree with the tree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
