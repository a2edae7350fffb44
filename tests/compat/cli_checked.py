"""The AWS CLI with one thing more: every answer is held against botocore's model (model_check.py)."""
import sys

import awscli.clidriver
import model_check

driver = awscli.clidriver.create_clidriver()
for service in ("firehose", "kinesis"):
    driver.session.register(f"before-parse.{service}", model_check.check_answer)
sys.exit(driver.main())
