"""The program of transform.yaml: test payments are dropped, card numbers are masked, what is no payment is refused."""
import base64
import json
import sys


def transform(data):
    """(result, record)"""
    try:
        payment = json.loads(data)
        card = payment["card"]
    except (ValueError, KeyError, TypeError):
        return "ProcessingFailed", data
    if payment.get("test"):
        return "Dropped", data
    payment["card"] = "*" * (len(card) - 4) + card[-4:]
    return "Ok", json.dumps(payment).encode()


for line in sys.stdin:
    records = []
    for record in json.loads(line)["records"]:
        result, data = transform(base64.b64decode(record["data"]))
        records.append({"recordId": record["recordId"], "result": result, "data": base64.b64encode(data).decode()})
    print(json.dumps({"records": records}), flush=True)
