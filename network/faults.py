"""What is wrong with input or a file of settings, field by field and in words of people: none of a library's.

Knows the kinds of faults that pydantic tells (https://docs.pydantic.dev/latest/errors/validation_errors/) and what the
readers of YAML and TOML say of a place; knows no field.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

WHOLE = "body"
"""What is at fault where it is no single field."""
_FAULTS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "has to be text",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "int_parsing_size": "has too many digits",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "finite_number": "has to be a finite number",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "list_type": "has to be a list",
    "tuple_type": "has to be a list",
    "dict_type": "has to be an object",
    "model_type": "has to be an object",
    "model_attributes_type": "has to be an object",
    "path_type": "has to be a path",
    "greater_than": "has to be more than {gt}",
    "greater_than_equal": "has to be at least {ge}",
    "less_than_equal": "has to be at most {le}",
    "string_too_short": "has fewer than {min_length} characters",
    "string_too_long": "has more than {max_length} characters",
    "too_short": "has fewer than {min_length} entries",
    "too_long": "has more than {max_length} entries",
    "literal_error": "has to be {expected}",
    "value_error": "{error}",
}
_BRANCH = re.compile(r"literal\[|function-|constrained-|nullable|(str|int|list\[.*|\[key\])$")
"""What pydantic puts into a place besides names and numbers: which of several forms it tried."""
_TOML_PLACE = re.compile(r"\(at (line \d+, column \d+|end of document)\)$")


def faults(error: ValidationError, forms: Mapping[str, str]) -> list[tuple[str, str]]:
    """All that is wrong, as pairs of a field and its fault; the field is "body" where it is no single one.

    Args:
        error: of pydantic.
        forms: what fields have to be, by their patterns.
    """
    found = [(_field(one), _fault(one, forms)) for one in error.errors(include_url=False)]
    named = {field for field, fault in found if fault}
    return list(
        dict.fromkeys((field, fault or "is not empty") for field, fault in found if fault or field not in named)
    )


def described(found: list[tuple[str, str]]) -> str:
    """All of them in one sentence."""
    return "; ".join(f"{field}: {fault}" for field, fault in found)


def described_in_file(found: list[tuple[str, str]], text: str = "") -> str:
    """All of them in one sentence, with the lines of a YAML file that they are in.

    Args:
        text: the file's; empty for a file of another kind, in which the name of the field is all there is to say.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader) if text else None
    return "; ".join(_described_in_file(field, fault, root) for field, fault in found)


def not_yaml(error: yaml.YAMLError | UnicodeDecodeError) -> str:
    """Why a file is no YAML, in words of people."""
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8"
    mark = getattr(error, "problem_mark", None)
    place = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
    return f"is not YAML{place}"


def not_toml(error: tomllib.TOMLDecodeError | UnicodeDecodeError) -> str:
    """Why a file is no TOML, in words of people."""
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8"
    place = _TOML_PLACE.search(str(error))
    return f"is not TOML at {place[1].replace('end of document', 'its end')}" if place else "is not TOML"


def _field(error: ErrorDetails) -> str:
    """Its name, within lists with the number of its entry: "parties.0.msp_id"."""
    where = list(error["loc"])
    unknown = [where.pop()] if error["type"] == "extra_forbidden" else []  # as it was sent, whatever it looks like
    named = [part for part in where if isinstance(part, int) or not _BRANCH.match(part)]
    return ".".join(map(str, [*named, *unknown])) or WHOLE


def _fault(error: ErrorDetails, forms: Mapping[str, str]) -> str:
    """What is wrong with it; empty for "it might also have been left empty", which another fault of it says better."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error" and context["expected"] == "''":
        return ""
    if kind == "string_pattern_mismatch":
        return f"has to be {forms.get(context['pattern'], 'in another form')}"
    if context.get("min_length") == 1:
        return "is empty"
    return _FAULTS.get(kind, "is not what it should be").format(**context)


def _described_in_file(field: str, fault: str, root: yaml.Node | None) -> str:
    line = _line(field, root)
    return (f"line {line}: " if line else "") + (fault if field == WHOLE else f"{field}: {fault}")


def _line(field: str, root: yaml.Node | None) -> int:
    """The line that a field stands in, or else the nearest one around it; 0 where that is the whole file."""
    node, line = root, 0
    for part in field.split("."):
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == part]
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal():
            found = [(value, value) for value in node.value[int(part) : int(part) + 1]]
        else:
            break
        if not found:
            break
        key, node = found[-1]
        line = key.start_mark.line + 1
    return line
