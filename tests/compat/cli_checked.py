"""The AWS CLI with one thing more: every answer is held against botocore's model (model_check.py)."""
import os
import sys
import tempfile
import typing

import awscli.clidriver

import model_check


class Result(typing.NamedTuple):
    code: int
    output: str
    errors: str


def main(arguments):
    driver = awscli.clidriver.create_clidriver()
    for service in ("firehose", "kinesis"):
        driver.session.register(f"before-parse.{service}", model_check.check_answer)
    return driver.main(arguments)


def run(arguments, environment):
    """Runs `aws` with these arguments in a process of its own. It is forked from this one, where the program is loaded already: that
    takes most of the time of a call."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            os.environ.update(environment)
            code = 1
            try:
                code = main(arguments)
            except SystemExit as end:  # of its argument parser
                code = end.code
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        errors.seek(0)
        return Result(os.waitstatus_to_exitcode(status), output.read(), errors.read())
