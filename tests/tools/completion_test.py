#!/usr/bin/env python3
"""What the completion script offers in bash: commands, options, names of the broker's streams, and files elsewhere.

    completion_test.py SLUICE
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import golden_test

# Words of a command line, the last of which is being completed, and what is offered.
OFFERED = [
    (["stream", "describe", ""], ["clicks", "orders"]),
    (["stream", "describe", "cl"], ["clicks"]),
    (["put", ""], ["clicks", "orders"]),
    (["put", "orders", ""], ["a-file", "orders.json"]),
    (["delivery", "pause", ""], ["orders-lake"]),
    (["verify", ""], ["orders-lake"]),
    (["stream", "create", ""], ["a-file", "orders.json"]),
    (["stream", "encr"], ["encrypt"]),
    (["get", "orders", "--fo"], ["--follow", "--format"]),
    (["--broker", "127.0.0.1:1", "put", ""], ["a-file", "orders.json"]),  # nobody is there to be asked
]
DELIVERY = """{"DeliveryStreamName": "orders-lake", "DeliveryStreamType": "KinesisStreamAsSource",
 "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "orders"}, "ExtendedS3DestinationConfiguration": {"BucketARN": "arn:aws:s3:::lake"}}"""
COMPLETE = """
source <(sluice completion bash)
COMP_WORDS=(sluice "$@")
COMP_CWORD=$#
_sluice
printf '%s\\n' "${COMPREPLY[@]}"
"""


def main():
    sluice = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        broker = golden_test.Broker(sluice, pathlib.Path(name))
        try:
            environment = dict(os.environ, PATH=f"{sluice.parent}:{os.environ['PATH']}", SLUICE_BROKER=f"127.0.0.1:{broker.ports['native']}")
            files = pathlib.Path(name) / "files"
            files.mkdir()
            (files / "a-file").touch()
            (files / "orders.json").write_text(DELIVERY)
            for command in (["stream", "create", "orders"], ["stream", "create", "clicks"], ["delivery", "create", "-f", "orders.json"]):
                subprocess.run([sluice, *command], cwd=files, env=environment, check=True, capture_output=True)
            for words, expected in OFFERED:
                shown = subprocess.run(["bash", "-c", COMPLETE, "bash", *words], cwd=files, env=environment, check=True, capture_output=True, text=True)
                if sorted(shown.stdout.split()) != expected:
                    sys.exit(f"completion_test: sluice {' '.join(words)} is offered {shown.stdout.split()}, not {expected}\n{shown.stderr}")
        finally:
            broker.stop()
    print(f"{len(OFFERED)} command lines are completed")


if __name__ == "__main__":
    main()
