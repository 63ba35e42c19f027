"""Records that are only looked at, in pages and one by one: a view or two for each row of `operations.readings`."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ledger_node.api.answers import PageQuery, answers, as_of_block, existing, paged
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.api.records import Written, one_of, page_of
from ledger_node.api.shape import written
from ledger_node.api.wire import Plain
from ledger_node.operations.fields import Out
from ledger_node.operations.operation import snake
from ledger_node.operations.readings import READINGS, Reading
from ledger_node.operations.shapes import answer_shape

routes = APIBlueprint("lists", __name__, tag="Records")


class ReasonOut(Out):
    """A reason typed here; the ledger holds SHA-256(0x00 ‖ salt ‖ SHA-256 of the text); `salt` is 64 hex digits."""

    commitment: str
    text: str
    salt: str


def _add(reading: Reading) -> None:
    shape = answer_shape(reading.record, reading.shape_name, Written)

    def show_page(query: PageQuery) -> dict[str, Any]:
        block = as_of_block()
        page = current_node().readmodel.records(reading.kind, page=query.page, per_page=query.per_page)
        return {**block, **paged(page, _shown)}

    show_page.__name__, show_page.__doc__ = f"list_{reading.kind}", reading.text
    view = answers(routes, page_of(shape, f"{reading.noun}sOut", reading.text))(show_page)
    view = routes.input(PageQuery, location="query", arg_name="query")(view)
    _route(reading, reading.address, view)
    if not reading.id_name:
        return

    def show_one(**named: str) -> Plain:
        block, record_id = as_of_block(), named[reading.id_name]
        record = current_node().readmodel.record(f"{reading.kind}/{record_id}")
        return {**_shown(existing(record, reading.id_name.removesuffix("_id"), record_id)), **block}

    text = f"One {snake(reading.noun).replace('_', ' ')}."
    show_one.__name__, show_one.__doc__ = f"show_{reading.kind}", text
    one = answers(routes, one_of(shape, f"{reading.noun}Out", text))(show_one)
    _route(reading, f"{reading.address}/<{reading.id_name}>", one)


def _route(reading: Reading, address: str, view: Any) -> None:
    described = routes.doc(tags=[reading.tag], operation_id=view.__name__)(routes.auth_required(bearer)(view))
    routes.get(address, endpoint=view.__name__)(described)


def _shown(record: Plain) -> Plain:
    """A record with its amounts; a credit note's are in its invoice's currency."""
    if "credit_note_id" not in record:
        return written(record)
    invoice = current_node().readmodel.invoice(record["invoice_id"])
    assert invoice is not None, "a credit note is of an invoice on the ledger"
    return written(record, invoice["facts"]["currency"])


@routes.get("/v1/reasons/<commitment>")
@routes.auth_required(bearer)
@answers(routes, ReasonOut)
def show_reason(commitment: str) -> Plain:
    """What was typed here as the reason behind a commitment on the ledger, with its salt."""
    reason = current_node().reasons.get(commitment)
    if reason is None:
        text = f"nobody typed a reason here that {commitment} commits to"
        raise Problem(404, "REASON_UNKNOWN", text, "Ask the organisation that gave it.")
    return {"commitment": commitment, "text": reason.text, "salt": reason.salt.hex()}


for row in READINGS:
    _add(row)
