#!/usr/bin/env python3
"""Each operation of the Kinesis and the Firehose API has an input that its fuzz target starts from, Kinesis' in both encodings."""
import pathlib
import re
import sys

OPERATION = re.compile(r"^aws::Operation (\w+)\(", re.MULTILINE)
CORPORA = [("kinesis", "kinesis_input/*.json"), ("kinesis", "kinesis_input/*.cbor"), ("firehose", "firehose_input/*")]


def operations(api):
    return set(OPERATION.findall(pathlib.Path(f"broker/api/{api}/handlers/operations.h").read_text(encoding="utf-8")))


def seeded(pattern):
    """The names in the first lines of a corpus's files."""
    files = pathlib.Path("tests/fuzz/corpus").glob(pattern)
    return {file.read_bytes().split(b"\n")[0].decode(errors="replace") for file in files}


def main():
    found = []
    for api, pattern in CORPORA:
        served = operations(api)
        if not served:
            found.append(f"broker/api/{api}/handlers/operations.h: no operations were found in it")
        found += [f"tests/fuzz/corpus/{pattern}: none is for {name}; add one to tests/fuzz/make_corpus.py and run it"
                  for name in sorted(served - seeded(pattern))]
    print("\n".join(found) or "each operation has its inputs")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
