"""Writes the pages that follow from the code: `make docs`. A house test holds pages and code together.

The command line from the commands' own help, the API's description and routes from the API itself, the floor plan
from the list that the tests of the imports read, events from their shape.
"""

from __future__ import annotations

import json
import runpy
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from chaincode.errors import RefusalCode
from ledger_node import logs
from ledger_node.api.app import create_user_app
from ledger_node.cli import main
from ledger_node.cli.init import write_demo
from ledger_node.config import load_settings
from ledger_node.node import open_node
from ledger_node.notifications.changes import TYPES
from ledger_node.notifications.events import MEDIA_TYPE, PREFIX, TEST_TYPE, CloudEvent
from ledger_node.operations.prompts import prompts
from ledger_node.operations.refusals import http_status
from ledger_node.operations.remedies import remedy

DOCS = Path(__file__).parent
ROOMS = DOCS.parent / "tests" / "house" / "rooms.py"
HEAD = """# Command line

Written by `make docs` from the commands' own help. Every command that answers takes `--json`.
Exit codes: 0 done, 1 something broke, 2 wrong input or configuration, 3 not found, 4 the ledger's answer is
still open, 5 refused by the contract, 6 checked and found false.
"""
REFUSALS_HEAD = """# Refusals

Written by `make docs`. Each code by which the contract refuses a command, its HTTP status, and what can be done about
it: the `remedy` of the API's problems and submissions, and what stands below an error at the prompt. When each is
given stands in [the contract's commands](commands.md); documents that are refused have [a page](document-refusals.md).

| code | HTTP | what helps |
|---|---|---|
"""
BEGIN, END = "<!-- written by make docs -->\n", "<!-- end of what make docs writes -->\n"


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Every command below `command` as (path, help text), parents first, in alphabetical order."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(below, click.Context(below, info_name=name, parent=context, terminal_width=100))


def derived_commands() -> str:
    """What the command line reads of the commands that follow from rows."""
    return json.dumps(prompts(), indent=1, ensure_ascii=False) + "\n"


def command_line() -> str:
    """The page of the command line."""
    root = click.Context(main, info_name="ledger-node", terminal_width=100, **main.context_settings)
    sections = [f"## {path}\n\n```text\n{text.rstrip()}\n```\n" for path, text in commands(main, root)]
    return HEAD + "\n" + "\n".join(sections)


def api_description() -> str:
    """What a node answers at /openapi.json, as indented JSON."""
    with tempfile.TemporaryDirectory() as folder:
        name = next(iter(write_demo(Path(folder), None, "embedded")))
        with closing(open_node(load_settings(Path(folder) / "nodes" / name))) as node:
            client = create_user_app(node).test_client()
            return json.dumps(client.get("/openapi.json").get_json(), indent=1, ensure_ascii=False) + "\n"


def api_page() -> str:
    """The page of the API, with the routes as it describes them."""
    description = json.loads(api_description())
    rows = [
        (
            operation["tags"][0],
            f"| `{method.upper()} {_angled(path)}` | {_roles(operation)} | {_what(operation, description)} |",
        )
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]
    tables = [
        "\n".join(
            [f"### {tag}", "", "| route | role | what |", "|---|---|---|", *(row for of, row in rows if of == tag)]
        )
        for tag in dict.fromkeys(tag for tag, _ in rows)
    ]
    return _between(DOCS / "reference" / "api.md", "\n\n".join(tables) + "\n")


def refusals() -> str:
    """The page of the refusals."""
    rows = [f"| `{code}` | {http_status(code)} | {remedy(code)} |\n" for code in sorted(map(str, RefusalCode))]
    return REFUSALS_HEAD + "".join(rows)


def architecture() -> str:
    """The page of the architecture, with the floor plan as it is."""
    return _between(DOCS / "explanation" / "architecture.md", runpy.run_path(str(ROOMS))["as_tables"]())


def _between(page: Path, written: str) -> str:
    """A page with what stands between its two marks written anew."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{written}\n{END}{after}"


def _angled(path: str) -> str:
    return path.replace("{", "<").replace("}", ">")


def _roles(operation: dict[str, Any]) -> str:
    if not operation.get("security"):
        return "no token"
    roles = [role for scheme in operation["security"] for named in scheme.values() for role in named]
    return "any" if not roles else "all but auditor" if len(roles) > 3 else ", ".join(roles)


def _what(operation: dict[str, Any], description: dict[str, Any]) -> str:
    """What a route does, the fields of its body or query, and what there is to say besides."""
    text = operation["summary"].rstrip(".")
    if "requestBody" in operation:
        content, *_ = operation["requestBody"]["content"].values()
        schema = content["schema"]
        if "$ref" in schema:
            schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        required = schema.get("required", [])
        fields = [name if name in required else f"{name}?" for name in schema.get("properties", {})]
        text += f": `{{{', '.join(fields)}}}`" if fields else "; no body"
    query = [f"`?{part['name']}=`" for part in operation.get("parameters", ()) if part["in"] == "query"]
    shown = [name for name in query if name not in ("`?page=`", "`?per_page=`")]
    text += f"; {', '.join(shown)}" if shown else ""
    besides, _, _who = operation["description"].rpartition("\n\n")  # the last paragraph is the column of roles
    return text + (f"; {' '.join(besides.split())}" if besides else "")


EVENTS_HEAD = """# Events

Written by `make docs`. What [webhooks](../how-to/receive-events.md) are told and `GET /v1/events?changes=true` streams:
one event for each change of state, as [CloudEvents](https://cloudevents.io) 1.0 in their JSON form
(`application/cloudevents+json`).
The same in AsyncAPI: [asyncapi.json](asyncapi.json). A new type or field may come at any time; what is here stays.

An event says what changed, and no amount, name or document: whoever wants more asks the node for the record.
Events of one `partitionkey` come in the order of `sequence`; an event may come more than once, under the same `id`.
"""


def events() -> str:
    """The page of the events."""
    shape = CloudEvent.model_json_schema()
    tables = [("## Envelope", shape), ("## Data", shape["$defs"]["ChangeData"])]
    parts = [f"{head}\n| field | type | what |\n|---|---|---|\n{_fields(schema)}" for head, schema in tables]
    types = "".join(f"| `{PREFIX}{name}` | {text} |\n" for name, text in TYPES.items())
    test = f"| `{TEST_TYPE}` | `ledger-node webhook test` sends it; its data are empty. |\n"
    parts.append(f"## Types\n| type | what happened |\n|---|---|\n{types}{test}")
    return EVENTS_HEAD + "\n" + "\n".join(parts)


def _fields(schema: dict[str, Any]) -> str:
    return "".join(
        f"| `{name}` | {_type(field)} | {field.get('description', '')} |\n"
        for name, field in schema["properties"].items()
    )


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return f'`"{field["const"]}"`'
    if "enum" in field:
        return "one of the types below"
    if "items" in field:
        return f"list of {field['items']['type']}"
    return "object" if "$ref" in field else str(field["type"])


def asyncapi() -> str:
    """The events in AsyncAPI 3.0, as indented JSON."""
    schemas = CloudEvent.model_json_schema(ref_template="#/components/schemas/{model}")
    shapes = {**schemas.pop("$defs"), "CloudEvent": schemas}
    title = "What a node of ledger-node tells"
    message = {"$ref": "#/components/messages/change"}
    signed = {name: {"type": "string"} for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    content = {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version("ledger-node"), "license": {"name": "Apache-2.0"}},
        "defaultContentType": MEDIA_TYPE,
        "channels": {
            "webhook": {
                "address": None,
                "description": "A receiver's own URL: one POST an event, signed by Standard Webhooks.",
                "messages": {"delivery": {"$ref": "#/components/messages/delivery"}},
            },
            "stream": {
                "address": "/v1/events?changes=true",
                "description": "Server-sent events named `change`; `data` is the event.",
                "messages": {"change": message},
            },
        },
        "operations": {
            name: {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name in ("webhook", "stream")
        },
        "components": {
            "messages": {
                "change": {"payload": {"$ref": "#/components/schemas/CloudEvent"}},
                "delivery": {
                    "headers": {"type": "object", "properties": signed, "required": list(signed)},
                    "payload": {"$ref": "#/components/schemas/CloudEvent"},
                },
            },
            "schemas": shapes,
        },
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


PAGES = {
    "../ledger_node/cli/prompts.json": derived_commands,  # first: the page of the command line is made of it
    "reference/cli.md": command_line,
    "reference/openapi.json": api_description,
    "reference/api.md": api_page,
    "reference/refusals.md": refusals,
    "reference/events.md": events,
    "reference/asyncapi.json": asyncapi,
    "explanation/architecture.md": architecture,
}

if __name__ == "__main__":
    logs.configure(level="warning")  # what it asks itself is no news
    for place, page in PAGES.items():
        (DOCS / place).write_text(page())
