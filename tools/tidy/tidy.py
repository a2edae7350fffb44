#!/usr/bin/env python3
"""The house rules as a program: layers, sizes, and what may not stand in a file.

    tools/tidy/tidy.py [TREE]     checks the source tree (default: the one this file is in); exit code 1 where a rule is broken

Each finding is one line, FILE:LINE: what is wrong and what to do. There is no list of exceptions: change the code, or the
rule. layers.txt beside this file says which folder may include which. Only Python's standard library is used.
"""

import os
import re
import sys
from dataclasses import dataclass, field

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
CODE_FOLDERS = ("protocol", "storage", "broker", "client", "tools", "tests")
CPP_SUFFIXES = (".h", ".cc")
COMMENT_STARTS = {".h": ("//",), ".cc": ("//",), ".proto": ("//",), ".java": ("//",), ".py": ("#!", "#", '"""'), ".sh": ("#!", "#")}
# Split so that this file does not break its own rule.
FORBIDDEN = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|NO" + r"LINT\w*)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


# ---- layers ---------------------------------------------------------------------------------------------------------------


@dataclass
class Rules:
    """layers.txt, read."""

    roots: list = field(default_factory=list)
    layers: dict = field(default_factory=dict)  # path -> paths it may include
    never: dict = field(default_factory=dict)  # path -> headers
    never_use: dict = field(default_factory=dict)  # path -> words
    only: list = field(default_factory=list)  # (headers, paths)
    source_only: list = field(default_factory=list)

    def layer_of(self, path):
        """The longest layer that `path` belongs to, or None."""
        fitting = [layer for layer in self.layers if is_below(path, layer)]
        return max(fitting, key=len, default=None)


def is_below(path, place):
    """Whether `path` is `place`, in that folder, or a file of that name with any suffix."""
    return path == place or path.startswith((place + "/", place + "."))


def parse_rules(text):
    """Reads layers.txt. Raises ValueError, with the line, for a line that is none of its forms."""
    rules = Rules()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        kind, rest = words[0], words[1:]
        before, after = split_at_colon(rest)
        if kind == "root" and len(rest) == 1:
            rules.roots.append(rest[0])
        elif kind == "source_only" and rest:
            rules.source_only += rest
        elif kind == "layer" and after is not None and len(before) == 1:
            rules.layers[before[0]] = after
        elif kind == "never" and after and len(before) == 1:
            rules.never[before[0]] = after
        elif kind == "never_use" and after and len(before) == 1:
            rules.never_use[before[0]] = after
        elif kind == "only" and after and before:
            rules.only.append((before, after))
        else:
            raise ValueError(f"line {number} is not a rule: {line}")
    for layer, allowed in rules.layers.items():
        for name in allowed:
            if name != "*" and name not in rules.layers:
                raise ValueError(f"layer {layer} names {name}, which is no layer")
    return rules


def split_at_colon(words):
    if ":" not in words:
        return words, None
    at = words.index(":")
    return words[:at], words[at + 1 :]


def header_fits(header, pattern):
    """Whether an include names `pattern`: a header, a folder (ends in /), a prefix of a path, or *suffix."""
    if pattern.startswith("*"):
        return header.endswith(pattern[1:])
    if pattern.endswith("/"):
        return header.startswith(pattern)
    return header == pattern or header.startswith((pattern + "/", pattern + "."))


def resolve(header, path, rules, exists):
    """Where a quoted include leads, as a path from the top of the tree; None where it is not ours."""
    candidates = [f"{root}/{header}" for root in rules.roots] + [os.path.normpath(f"{os.path.dirname(path)}/{header}")]
    if exists(header):
        return header
    for candidate in candidates:
        if exists(candidate):
            return candidate
    # Generated headers stand in the build tree, below the same folders.
    return header if rules.layer_of(header) else None


def check_includes(path, lines, rules, exists):
    layer = rules.layer_of(path)
    if layer is None:
        yield Finding(path, 1, "no layer of tools/tidy/layers.txt has this file: add one, or move the file")
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, outside = match.groups()
        header = quoted or outside
        target = resolve(quoted, path, rules, exists) if quoted else None
        if target:
            yield from check_layer(path, number, layer, target, rules)
        yield from check_header(path, number, layer, header, rules)


def check_layer(path, number, layer, target, rules):
    target_layer = rules.layer_of(target)
    allowed = rules.layers[layer]
    if target_layer != layer and "*" not in allowed and target_layer not in allowed:
        may = ", ".join(allowed) or "nothing but itself"
        yield Finding(path, number, f"{layer} may not include {target} (of {target_layer}); it may include {may}")


def check_header(path, number, layer, header, rules):
    for pattern in rules.never.get(layer, []):
        if header_fits(header, pattern):
            yield Finding(path, number, f"{layer} may not include {header}: go through the folder whose work that is")
    for patterns, places in rules.only:
        if any(header_fits(header, pattern) for pattern in patterns) and not any(is_below(path, place) for place in places):
            yield Finding(path, number, f"only {', '.join(places)} may include {header}")
    if path.endswith(".h") and any(header_fits(header, pattern) for pattern in rules.source_only):
        yield Finding(path, number, f"{header} may stand in .cc files only: declare what you need, or hide it behind a pointer")


# ---- functions ------------------------------------------------------------------------------------------------------------

SKIPPED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'""", re.DOTALL
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


def blank(match):
    """Spaces of the same length, keeping line ends."""
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text):
    """The text with comments, literals and preprocessor lines blanked out, every line in its place."""
    return DIRECTIVE.sub(blank, SKIPPED.sub(blank, text))


def functions(text):
    """(first line, last line) of every function body with its signature; nested ones count within the outer one."""
    code = code_only(text)
    scopes = []  # for each open brace: the first line of a function, or None
    head_start = 0
    function_depth = 0
    for match in re.finditer(r"[{};]", code):
        at, sign = match.start(), match.group()
        if sign == "{":
            opens = function_depth == 0 and is_function_head(code[head_start:at])
            scopes.append(line_of_head(code, head_start) if opens else None)
            function_depth += 1 if function_depth or opens else 0
        elif sign == "}" and scopes:
            first_line = scopes.pop()
            function_depth -= 1 if function_depth else 0
            if first_line is not None:
                yield first_line, code.count("\n", 0, at) + 1
        if not scopes or function_depth == 0:
            head_start = at + 1


def is_function_head(head):
    """Whether what stands in front of a brace, at the level of a class or namespace, begins a function."""
    text = re.sub(r"\b(?:public|private|protected)\s*:", " ", head).strip()
    if ")" not in text or text.endswith(("=", ",", "(")):
        return False
    return not re.match(r"(?:template\s*<.*>\s*)?(?:namespace|class|struct|union|enum)\b[^()]*$", text, re.DOTALL)


def line_of_head(code, head_start):
    text = code[head_start:]
    return code.count("\n", 0, head_start + len(text) - len(text.lstrip())) + 1


def check_words(path, text, rules):
    layer = rules.layer_of(path)
    words = rules.never_use.get(layer)
    if not words:
        return
    for number, line in enumerate(code_only(text).split("\n"), 1):
        match = re.search(r"\b(" + "|".join(words) + r")\b", line)
        if match:
            yield Finding(path, number, f"{layer} may not use {match.group()}: go through the folder whose work that is")


def check_functions(path, text):
    for first, last in functions(text):
        length = last - first + 1
        if length > FUNCTION_LINES_MAX:
            yield Finding(path, first, f"a function of {length} lines: divide it ({FUNCTION_LINES_MAX} at most)")


# ---- files ----------------------------------------------------------------------------------------------------------------


def check_text(path, lines):
    suffix = os.path.splitext(path)[1]
    starts = COMMENT_STARTS.get(suffix)
    if starts and not (lines and lines[0].startswith(starts)):
        yield Finding(path, 1, "say in a comment at the top what this file is for")
    if starts and len(lines) > FILE_LINES_MAX:
        yield Finding(path, FILE_LINES_MAX + 1, f"a file of {len(lines)} lines: divide it ({FILE_LINES_MAX} at most)")
    if suffix == ".h" and not any(line.strip() == "#pragma once" for line in lines):
        yield Finding(path, 1, "a header needs #pragma once")
    for number, line in enumerate(lines, 1):
        match = FORBIDDEN.search(line)
        if match:
            yield Finding(path, number, f"{match.group()}: finish it, or write an issue")


def check_file(path, text, rules, exists):
    lines = text.splitlines()
    findings = list(check_text(path, lines))
    if path.endswith(CPP_SUFFIXES):
        findings += check_includes(path, lines, rules, exists)
        findings += check_words(path, text, rules)
        findings += check_functions(path, text)
    return findings


def source_files(tree):
    """Paths of our files from the top of the tree, without build trees and hidden folders."""
    kinds = tuple(COMMENT_STARTS) + (".cmake", ".md", ".txt")
    for folder in CODE_FOLDERS + ("cmake", "docs", "docker"):
        for place, folders, names in os.walk(os.path.join(tree, folder)):
            folders[:] = [name for name in folders if not name.startswith((".", "build", "__pycache__"))]
            for name in names:
                if name.endswith(kinds):
                    yield os.path.relpath(os.path.join(place, name), tree).replace(os.sep, "/")


def check_tree(tree):
    with open(os.path.join(tree, "tools/tidy/layers.txt"), encoding="utf-8") as file:
        rules = parse_rules(file.read())
    findings = []
    paths = sorted(source_files(tree))
    known = set(paths)
    for path in paths:
        with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as file:
            findings += check_file(path, file.read(), rules, known.__contains__)
    return len(paths), findings


def main(arguments):
    tree = arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    count, findings = check_tree(os.path.abspath(tree))
    for finding in findings:
        print(finding)
    print(f"tidy: {count} files, {len(findings)} findings")
    return 1 if findings or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
