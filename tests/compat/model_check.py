"""Holds every answer that a botocore client gets against botocore's own model of the service: members that the model does not
know, required members that are missing and values of another type are errors. (botocore itself passes over all three.)
"""
import json

from broker import Broken

TYPES = {
    "string": str, "blob": str, "integer": int, "long": int, "float": (int, float), "double": (int, float), "timestamp": (int, float),
    "boolean": bool, "list": list, "map": dict, "structure": dict,
}


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
            raise Broken(f"{place} has the member {name}, which the model does not know")
        check(member, shape.members[name], f"{place}.{name}")
    for name in shape.required_members:
        if name not in value:
            raise Broken(f"{place} has no member {name}")


def check_answer(operation_model, response_dict, **_):
    if response_dict["status_code"] >= 300:
        check_error(operation_model, response_dict)
        return
    if operation_model.has_event_stream_output:
        return  # its events come later: checked_events
    body = response_dict["body"]
    if operation_model.output_shape is None:
        if body:
            raise Broken(f"{operation_model.name} answers {body!r} although it has no output")
        return
    check(json.loads(body), operation_model.output_shape, operation_model.name)


def check_error(operation_model, response_dict):
    error = json.loads(response_dict["body"])
    modelled = {shape.name: shape for shape in operation_model.error_shapes}.get(error.get("__type", "").rpartition("#")[2])
    members = set(modelled.members) if modelled is not None else set()
    if not set(error) <= {"__type", "message", "Message"} | members or "__type" not in error:
        raise Broken(f"{operation_model.name} answers the error {error}")


def checked_events(stream):
    """The events of an event stream, each held against the model before botocore takes it apart."""
    parse = stream._parse_event

    def check_and_parse(event):
        kind = event.headers.get(":event-type") or event.headers[":exception-type"]
        shape = stream._output_shape.members.get(kind)
        if shape is None:
            raise Broken(f"the model does not know the event {kind}")
        if event.headers[":content-type"] != "application/x-amz-json-1.1":
            raise Broken(f"the event has the content type {event.headers[':content-type']}")
        check(json.loads(event.payload), shape, kind)
        return parse(event)

    stream._parse_event = check_and_parse
    return stream


def watch(client):
    client.meta.events.register(f"before-parse.{client.meta.service_model.service_id.hyphenize()}", check_answer)
