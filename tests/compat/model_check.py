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


def watch(client):
    client.meta.events.register(f"before-parse.{client.meta.service_model.service_id.hyphenize()}", check_answer)
