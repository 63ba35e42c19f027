"""The API's own description, `/openapi.json` (OpenAPI 3.1), where the framework leaves something out.

Added here: bodies that are required, the upload's form, the headers of every write and read, problems as the answer to
every error, and who may ask. Each shape has one name, however deep it stands.
"""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask

from ledger_node.api.context import BLOCK_MIN, IDEMPOTENCY_KEY, WAIT_SECONDS_MAX
from ledger_node.api.examples import example_of
from ledger_node.api.problem import MEDIA_TYPE
from ledger_node.formats import DOCUMENT_KINDS

Json = dict[str, Any]

PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "description": "urn:ledger-node:problem:CODE or urn:ledger-node:refusal:CODE"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "examples": ["AMOUNT_NEGATIVE", "STATUS_WRONG"]},
        "remedy": {"type": "string"},
    },
}
WRITE_PROBLEMS = {
    "400": "The request is not what it should be.",
    "401": "No valid token.",
    "403": "The token's role does not allow this.",
    "404": "What the request speaks of does not exist.",
    "409": "The contract refused: a rule said no.",
    "413": "Too large.",
    "415": "Wrong media type.",
    "422": "A value can never be right, or the idempotency key was used for something else.",
    "502": "The ledger could not take the command.",
}
READ_PROBLEMS = {
    "400": "An unknown or wrong parameter, or one that stands twice.",
    "401": "No valid token.",
    "404": "There is no such thing.",
    "409": "A name that fits several.",
    "503": "The node is not ready, or does not show the block asked for.",
}
KEY_FORM = r"^[!-~]{1,200}$"
MONTH_FORM = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
FILES = (
    ("/metrics", "get", "text/plain"),
    ("/v1/documents/{document_id}/content", "get", "application/octet-stream"),
    ("/v1/redemptions/{redemption_id}/payment-order", "post", "application/xml"),
    ("/v1/month-ends/{month}", "get", "application/zip"),
    ("/v1/events", "get", "text/event-stream"),
    ("/v1/documents/{document_id}/certificate", "get", "application/jose+json"),
    ("/v1/invoices/{invoice_id}/certificate", "get", "application/jose+json"),
    ("/v1/invoices/{invoice_id}/response", "get", "application/xml"),
    ("/v1/invoice-files", "post", "application/xml"),
    ("/v1/invoice-files", "post", "application/pdf"),
)
"""Answers that are files: route, method, media type, of which one may have several; a document has its own."""
UPLOAD: Json = {
    "type": "object",
    "required": ["file", "kind", "entitled"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"},
        "kind": {"type": "string", "enum": list(DOCUMENT_KINDS)},
        "entitled": {"type": "array", "items": {"type": "string"}, "description": "MSP ids, repeated or with commas."},
    },
}


def _form(required: tuple[str, ...], fields: Json) -> Json:
    """The form of a submission: a file, the buyer, who else may read it, and what else."""
    common = {"file": UPLOAD["properties"]["file"], "buyer": {"type": "string"}}
    entitled = {"entitled": UPLOAD["properties"]["entitled"]}
    properties = common | entitled | fields
    return {"type": "object", "required": list(required), "additionalProperties": False, "properties": properties}


_IDS: Json = {"type": "array", "items": {"type": "string"}, "description": "Ids or names of records; repeat."}
UPLOADS: dict[str, Json] = {
    "/v1/documents": UPLOAD,
    "/v1/invoice-submissions": _form(
        ("file", "buyer"), {"proof_ids": _IDS, "shipment_ids": _IDS, "stated_due_date": {"type": "string"}}
    ),
    "/v1/shipment-submissions": _form(("file",), {"carrier": {"type": "string"}, "shipment_id": {"type": "string"}}),
}
"""Forms with a file, by their address."""


def install(app: APIFlask, address: str = "") -> None:
    """Complete the description of `app`.

    Args:
        app: with all its routes, or before it has them.
        address: that its callers reach it by; what it is read from when empty.
    """
    app.config.update(
        SERVERS=[{"url": address or "/"}],
        OPENAPI_VERSION="3.1.0",
        INFO={"description": "One organisation's node of a supply-chain-finance consortium.", "license": _LICENSE},
        AUTO_404_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
    )

    @app.spec_processor
    def _complete(spec: Json | str) -> Json | str:
        assert isinstance(spec, dict)
        spec["components"]["schemas"] = _named_once(spec["components"]["schemas"]) | {"Problem": PROBLEM}
        names = _view_names(app)
        for path, operations in spec["paths"].items():
            for method, operation in operations.items():
                operation["operationId"] = names[path, method]
                _complete_operation(path, method, operation)
                _show_example(operation, spec["components"]["schemas"])
        chapters = (tag for path in spec["paths"].values() for operation in path.values() for tag in operation["tags"])
        spec["tags"] = [{"name": tag} for tag in sorted(set(chapters))]
        for path, form in UPLOADS.items():
            content = {"multipart/form-data": {"schema": form, "example": _form_example(form)}}
            spec["paths"][path]["post"]["requestBody"] = {"required": True, "content": content}
        bank_file = spec["paths"]["/v1/bank-files"]["post"]
        bank_file["requestBody"] = {"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}}
        validated = {name: {"schema": {"type": "string"}} for name in ("application/xml", "application/pdf")}
        validation = spec["paths"]["/v1/invoice-validations"]["post"]
        validation["requestBody"] = {"required": True, "content": validated}
        for path, method, media_type in FILES:
            file = {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}
            answer = spec["paths"][path][method]["responses"]["200"]
            forms = {name: each for name, each in answer.get("content", {}).items() if name != "application/json"}
            answer["content"] = forms | {media_type: {"schema": file}}
        trust = spec["paths"]["/v1/channel/trust"]["get"]["responses"]["200"]  # see docs/reference/bundle.md
        trust["content"] = {"application/json": {"schema": {"type": "object"}, "example": {"version": 1}}}
        for parameter in spec["paths"]["/v1/month-ends/{month}"]["get"]["parameters"]:
            if parameter["in"] == "path":
                parameter["schema"] = {"type": "string", "pattern": MONTH_FORM, "examples": ["2026-11"]}
        return spec


def _form_example(form: Json) -> Json:
    """Of a form, but for its file, which is no text."""
    shown = {name: part for name, part in form["properties"].items() if name in form["required"]}
    return {name: "(the file)" if name == "file" else example_of(part, {}, name) for name, part in shown.items()}


def _view_names(app: APIFlask) -> dict[tuple[str, str], str]:
    """What each view is called in code, by path and method: an operation has no other name."""
    return {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower()): rule.endpoint.rpartition(".")[2]
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def _named_once(schemas: Json) -> Json:
    """The framework calls a shape within `A` `A.B`; here it is `B`, once, since shapes of one name are the same."""
    named: Json = {}
    for name, schema in schemas.items():
        if name != "HTTPError":  # the framework's own errors, which are problems here
            own_name, own = name.rpartition(".")[2], _with_own_names(schema)
            assert named.setdefault(own_name, own) == own, f"two shapes are called {own_name}"
    return named


def _with_own_names(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_own_names(member) for member in part]
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if isinstance(reference, str):
        place, _, name = reference.rpartition("/")
        part = part | {"$ref": f"{place}/{name.rpartition('.')[2]}"}
    return {key: _with_own_names(value) for key, value in part.items()}


def _show_example(operation: Json, shapes: Json) -> None:
    """Of what is answered when all goes well, where nobody wrote one."""
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json", {})
        if status < "300" and content.get("schema") and not {"example", "examples"} & content.keys():
            content["example"] = example_of(content["schema"], shapes)


_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def _complete_operation(path: str, method: str, operation: Json) -> None:
    operation["description"] = "\n\n".join(filter(None, (operation.get("description"), _who(operation))))
    if not path.startswith("/v1/"):
        _answer_problems(operation, [code for code in operation["responses"] if code >= "400"])
        return
    write = "202" in operation["responses"]
    if method == "post" and "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        operation["requestBody"]["required"] = not str(schema.get("$ref", "")).endswith("/Nothing")
    problems = WRITE_PROBLEMS if method == "post" else READ_PROBLEMS
    for status, text in problems.items():
        operation["responses"].setdefault(status, {})["description"] = text
    if write:
        stored = operation["responses"]["202"]
        for status, text in (("200", "Applied, when the caller preferred to wait."), ("201", "Applied; it is new.")):
            operation["responses"][status] = {**stored, "description": text}
    _answer_problems(operation, [status for status in operation["responses"] if status >= "400"])
    operation.setdefault("parameters", []).extend(_headers(write))


def _who(operation: Json) -> str:
    """Who may ask, for people who read the description; programs read `security`."""
    if not operation.get("security"):
        return "Takes no token."
    roles = [role for scheme in operation["security"] for named in scheme.values() for role in named]
    return f"Takes a token with the role {' or '.join(roles)}." if roles else "Takes any token."


def _answer_problems(operation: Json, statuses: Any) -> None:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in statuses:
        operation["responses"][status]["content"] = content


def _headers(write: bool) -> list[Json]:
    seen = {"type": "integer", "minimum": 0}
    block = _header(BLOCK_MIN, "A block that the caller has seen: the state used is at least as new.", seen, False)
    if not write:
        return [block]
    fresh = {"type": "string", "pattern": KEY_FORM, "examples": ["5f0c8b2e9a7d4e31"]}
    key = _header(IDEMPOTENCY_KEY, "Fresh for each write; the same when it is tried again.", fresh, True)
    text = {"type": "string", "examples": ["wait=10"]}
    prefer = _header("Prefer", f"`wait=N`: wait up to N seconds (at most {WAIT_SECONDS_MAX}).", text, False)
    return [key, prefer, block]


def _header(name: str, description: str, schema: Json, required: bool) -> Json:
    return {"in": "header", "name": name, "description": description, "required": required, "schema": schema}
