"""Holds every answer that a client gets against botocore's own model of the service: members that the model does not know, required
members that are missing and values of another type are errors. (botocore itself passes over all three.) Clients of botocore are
watched, those in other languages write down what they get.
"""
import base64
import functools
import json

from broker import Broken

TYPES = {
    "string": str, "blob": (str, bytes), "integer": int, "long": int, "float": (int, float), "double": (int, float), "timestamp": (int, float),
    "boolean": bool, "list": list, "map": dict, "structure": dict,
}
# Operations whose answer has members in the API's reference and none in the SDKs' models.
UNSETTLED = {"UpdateStreamRecordDistributionStrategy"}
# Members that boto3's model knows, and the older one of the command line does not.
NEWER = {("StreamDescriptionSummary", "RecordDistributionStrategy")}


def check(value, shape, place):
    wanted = TYPES[shape.type_name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise Broken(f"{place} is {value!r}, which is no {shape.type_name}")
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise Broken(f"{place} is {value!r}, which is none of {shape.enum}")
    if shape.type_name == "list":
        for index, element in enumerate(value):
            check(element, shape.member, f"{place}[{index}]")
    if shape.type_name == "map":
        for key, element in value.items():
            check(element, shape.value, f"{place}[{key!r}]")
    if shape.type_name == "structure":
        check_structure(value, shape, place)


def check_structure(value, shape, place):
    for name, member in value.items():
        if name not in shape.members:
            if (shape.name, name) in NEWER:
                continue
            raise Broken(f"{place} has the member {name}, which the model does not know")
        check(member, shape.members[name], f"{place}.{name}")
    for name in shape.required_members:
        if name not in value:
            raise Broken(f"{place} has no member {name}")


def check_answer(operation_model, response_dict, **_):
    if response_dict["status_code"] >= 300:
        check_error(operation_model, response_dict)
        return
    body = response_dict["body"]
    if operation_model.has_event_stream_output:
        if isinstance(body, bytes):
            check_events(body, operation_model.get_event_stream_output())
        return  # botocore's events come later: checked_events
    if operation_model.output_shape is None:
        if body:
            raise Broken(f"{operation_model.name} answers {body!r} although it has no output")
        return
    check(parsed(response_dict), operation_model.output_shape, operation_model.name)


def parsed(response_dict):
    if "cbor" not in response_dict["headers"].get("content-type", ""):
        return json.loads(response_dict["body"])
    from botocore.parsers import RpcV2CBORParser
    reader = RpcV2CBORParser(timestamp_parser=lambda number: number)  # milliseconds in Kinesis' CBOR, which botocore does not know
    return reader.parse_data_item(reader.get_peekable_stream_from_bytes(response_dict["body"]))


def check_error(operation_model, response_dict):
    error = parsed(response_dict)
    modelled = {shape.name: shape for shape in operation_model.error_shapes}.get(error.get("__type", "").rpartition("#")[2])
    members = set(modelled.members) if modelled is not None else set()
    if not set(error) <= {"__type", "message", "Message"} | members or "__type" not in error:
        raise Broken(f"{operation_model.name} answers the error {error}")


def check_event(event, shape):
    """Holds one event (botocore's EventStreamMessage) of a stream of this shape against the model."""
    kind = event.headers.get(":event-type") or event.headers[":exception-type"]
    if event.headers[":content-type"] != "application/x-amz-json-1.1":
        raise Broken(f"the event has the content type {event.headers[':content-type']}")
    if kind == "initial-response":
        return
    if kind not in shape.members:
        raise Broken(f"the model does not know the event {kind}")
    check(json.loads(event.payload), shape.members[kind], kind)


def check_events(body, shape):
    """Holds the whole events of a stream that a client has written down against the model."""
    from botocore.eventstream import EventStreamBuffer
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    for event in buffer:
        check_event(event, shape)


def checked_events(stream):
    """The events of an event stream, each held against the model before botocore takes it apart."""
    parse = stream._parse_event

    def check_and_parse(event):
        check_event(event, stream._output_shape)
        return parse(event)

    stream._parse_event = check_and_parse
    return stream


def watch(client):
    client.meta.events.register(f"before-parse.{client.meta.service_model.service_id.hyphenize()}", check_answer)


@functools.cache
def service_of(target):
    """The model of the service whose operations have this prefix in X-Amz-Target."""
    import botocore.session
    session = botocore.session.get_session()
    models = (session.get_service_model(name) for name in ("kinesis", "firehose"))
    return next(model for model in models if model.metadata["targetPrefix"] == target)


def check_named(target, status, content_type, body):
    """Holds an answer to a request with this X-Amz-Target against the model."""
    service, operation = target.split(".")
    if operation in UNSETTLED:
        return
    check_answer(service_of(service).operation_model(operation), {"status_code": status, "headers": {"content-type": content_type}, "body": body})


def check_written(file):
    """Holds the answers against the model that a client has written: JSON lines with target, status, type, and the body in base64."""
    answers = [json.loads(line) for line in file.read_text().splitlines()]
    for answer in answers:
        check_named(answer["target"], answer["status"], answer["type"], base64.b64decode(answer["body"]))
    if not answers:
        raise Broken("the client has written no answers")
    print(f"kept: {len(answers)} answers are as the model says")
