"""Records in lists, and one by one: a view or two for each row of `operations.readings`.

How records are shown is found by their kind; most are shown as they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field, create_model

from chaincode.records.keys import last_part
from ledger_node.api import records
from ledger_node.api.about import names_of_each
from ledger_node.api.answers import PageQuery, existing, listed, paged, reads
from ledger_node.api.context import current_node
from ledger_node.api.invoices import invoice_record
from ledger_node.api.naming import ID, record_id, sought, with_names
from ledger_node.api.own_writes import await_own_writes
from ledger_node.api.persons import named_person
from ledger_node.api.problem import Problem
from ledger_node.api.records import Named, Written, list_of, one_of, page_of
from ledger_node.api.sealed import SEALED, TERMS_SHOWN, is_sealed, with_terms
from ledger_node.api.shape import shaped, written
from ledger_node.api.waits import waits_of_invoices
from ledger_node.api.waits_besides import BY_KIND, waits_of
from ledger_node.api.wire import Plain, Query
from ledger_node.api.writes import shown as submission_record
from ledger_node.errors import BadRequest
from ledger_node.operations.asked import SEARCH, WAITS, Asked
from ledger_node.operations.fields import Out
from ledger_node.operations.operation import snake
from ledger_node.operations.readings import READINGS, Reading
from ledger_node.operations.shapes import answer_shape
from ledger_node.readmodel import Page, Sought
from ledger_node.readmodel.naming import KEYS as NAMED_BY

routes = APIBlueprint("lists", __name__, tag="Records")
PLACE = ("transaction_index", "command_number", "write_index")
"""What orders movements, and is shown by their order alone."""
MENTIONS_MAX = 200
"""What submissions are searched for at once: each is looked for in each."""


class ReasonOut(Out):
    """A reason typed here; the ledger holds SHA-256(0x00 ‖ salt ‖ SHA-256 of the text); `salt` is 64 hex digits."""

    commitment: str
    text: str
    salt: str


def query_of(asked: tuple[Asked, ...], base: type[Query]) -> type[Query]:
    """The query of a list or a report: what the base has, and what the row is asked by."""
    fields: dict[str, Any] = {part.name: (part.hint, ... if part.required else part.default) for part in asked}
    return create_model("AskedQuery", __base__=base, **fields)


def _credit_note(record: Plain) -> Plain:
    """Its amounts are in its invoice's currency."""
    invoice = current_node().readmodel.invoice(record["invoice_id"])
    assert invoice is not None, "a credit note is of an invoice on the ledger"
    return written(record, invoice["facts"]["currency"])


def _request(record: Plain) -> Plain:
    """Its least net is in the currency of the facilities, which is one."""
    facility = current_node().readmodel.facility(record["facility_ids"][0])
    assert facility is not None, "a request names facilities on the ledger"
    return written(record, facility["deposit"])


def _discount_offer(record: Plain) -> Plain:
    """Its terms where this node may read them."""
    return written(with_terms("discount_offer", record["invoice_id"], record))


def _of_offered(offers: Sequence[Plain], shown: Sequence[Plain]) -> list[Plain]:
    """What is waited for, and expected, of the invoices that are offered."""
    readmodel = current_node().readmodel
    invoices = [existing(readmodel.invoice(each["invoice_id"]), "invoice", each["invoice_id"]) for each in offers]
    said = waits_of_invoices(invoices, [invoice_record(each) for each in invoices])
    return [each | {name: of[name] for name in records.WAITS} for each, of in zip(shown, said, strict=True)]


def _entry(row: Plain) -> Plain:
    return shaped({name: value for name, value in row.items() if name not in PLACE})


def _founding() -> Plain:
    founding = current_node().readmodel.founding()
    return {"founding": founding and written(founding)}


def _submissions(*, state: str, type: str, own: str, sought: Sought | None, page: int, per_page: int) -> Page:
    mentions = None if sought is None else _mentions(sought)
    found = current_node().work_list.list(
        state=state, type=type, own=bool(own), mentions=mentions, page=page, per_page=per_page
    )
    names = names_of_each(found.items)
    items = [{**submission_record(each), "names": named} for each, named in zip(found.items, names, strict=True)]
    return Page(items, found.total, page, per_page)


def _mentions(sought: Sought) -> set[str]:
    """What commands have in them that speak of what is sought: keys of names, ids of records that are called so."""
    readmodel, called = current_node().readmodel, Sought(sought.name_keys)
    records = [each["key"] for kind in NAMED_BY for each in readmodel.found(kind, called, MENTIONS_MAX + 1)]
    ids = {each for each in map(last_part, records) if ID.fullmatch(each)}
    found = {*sought.name_keys, *ids, *filter(None, [sought.id_prefix])}
    if len(found) > MENTIONS_MAX:
        raise BadRequest(f"more than {MENTIONS_MAX} records are called so", "Type more of the name.")
    return found


SHOWN: dict[str, Callable[[], Callable[[Plain], Plain]]] = {
    "account": lambda: shaped,
    "credit_note": lambda: _credit_note,
    "discount_offer": lambda: _discount_offer,
    "entry": lambda: _entry,
    "invoice": lambda: invoice_record,
    "person": named_person,
    "request": lambda: _request,
}
"""Made for one answer: what shows a record of a kind that is not shown as it is written."""
SOURCES: dict[str, Callable[..., Page]] = {"submission": _submissions}
"""What is not on the ledger and comes from elsewhere: records as they are shown, names and all."""
WAITED_FOR: dict[str, Callable[[Sequence[Plain], Sequence[Plain]], list[Plain]]] = {
    "discount_offer": _of_offered,
    "invoice": waits_of_invoices,
    "request": _of_offered,
    **{kind: waits_of(kind) for kind in BY_KIND},
}
"""Lists of what somebody waits for: records, and the same as they are shown, to which that is added."""
BESIDE: dict[str, Callable[[], Plain]] = {"party": _founding}
"""What a list says besides its records."""


def _narrowed(query: Query) -> Plain:
    """What a list is narrowed by, as the read model takes it: ids for names, and what is searched for."""
    asked = query.model_dump()
    words = {"sought": sought(asked.pop(SEARCH.name))} if SEARCH.name in asked else {}
    if asked.get("invoice_id"):
        asked["invoice_id"] = record_id("invoice", asked["invoice_id"])
    return asked | words


def _add(reading: Reading) -> None:
    base = Named if reading.is_named else Written
    sealed = is_sealed(reading.record)
    more = (records.WAITS if reading.kind in WAITED_FOR else {}) | (TERMS_SHOWN if sealed else {})
    hidden = (SEALED,) if sealed else ()
    shape = answer_shape(reading.record, reading.shape_name, base, hidden, more) if reading.record else None
    whole, query = (page_of, PageQuery) if reading.is_paged else (list_of, Query)
    shape_of_list = whole(shape, reading.list_name, reading.text) if shape else getattr(records, reading.list_name)
    make_shown = SHOWN.get(reading.kind, lambda: written)

    def show_list(query: Query) -> Plain:
        readmodel, narrowed = current_node().readmodel, _narrowed(query)
        with_waits = bool(narrowed.pop(WAITS.name, ""))
        if reading.kind in SOURCES:
            return paged(SOURCES[reading.kind](**narrowed), dict)
        if reading.question:
            answer: Page | list[Plain] = getattr(readmodel, reading.question)(**narrowed)
        else:
            answer = readmodel.records(reading.kind, **narrowed)
        found = answer.items if isinstance(answer, Page) else answer
        items = paged(answer, make_shown()) if isinstance(answer, Page) else listed(answer, make_shown())
        if reading.is_named:
            items["items"] = with_names(reading.kind, found, items["items"])
        if reading.kind in WAITED_FOR:
            unasked = [each | dict.fromkeys(records.WAITS) for each in items["items"]]
            items["items"] = WAITED_FOR[reading.kind](found, items["items"]) if with_waits else unasked
        return BESIDE.get(reading.kind, dict)() | items

    show_list.__name__, show_list.__doc__ = f"list_{reading.kind}", reading.text
    reads(routes, reading.address, shape_of_list, query_of(reading.asked, query), tag=reading.tag)(show_list)
    if shape and reading.id_name:
        _add_one(reading, one_of(shape, f"{reading.noun}Out", f"One {snake(reading.noun).replace('_', ' ')}."))


def _add_one(reading: Reading, shape: type[Out]) -> None:
    make_shown = SHOWN.get(reading.kind, lambda: written)

    def show_one(**named: str) -> Plain:
        given = named[reading.id_name]
        record = current_node().readmodel.record(f"{reading.kind}/{given}")
        found = existing(record, reading.id_name.removesuffix("_id"), given)
        shown = make_shown()(found)
        if reading.kind in WAITED_FOR:
            (shown,) = WAITED_FOR[reading.kind]([found], [shown])
        return with_names(reading.kind, [found], [shown])[0] if reading.is_named else shown

    show_one.__name__, show_one.__doc__ = f"show_{reading.kind}", shape.__doc__
    reads(routes, f"{reading.address}/<{reading.id_name}>", shape, tag=reading.tag)(show_one)


class IdQuery(Query):
    """What a record is called: its name in full, its id, or at least 4 digits that its id begins with."""

    kind: Literal["credit_note", "document", "facility", "invoice", "membership", "redemption", "seal", "shipment"]
    name: str = Field(min_length=1, max_length=200)


class IdOut(Out):
    """The id of the one record that is called so."""

    id: str


@reads(routes, "/v1/ids", IdOut, IdQuery)
def show_id(query: IdQuery) -> Plain:
    """The id of a record by its name; 409 `NAME_AMBIGUOUS` with the `candidates` where several are called so."""
    await_own_writes()
    return {"id": record_id(query.kind, query.name)}


@reads(routes, "/v1/reasons/<commitment>", ReasonOut)
def show_reason(commitment: str) -> Plain:
    """What was typed, here or as another party has told, as the reason behind a commitment on the ledger; its salt."""
    reason = current_node().reasons.get(commitment)
    if reason is None:
        text = f"nobody typed a reason here that {commitment} commits to"
        raise Problem(404, "REASON_UNKNOWN", text, "Ask the organisation that gave it.")
    return {"commitment": commitment, "text": reason.text, "salt": reason.salt.hex()}


for row in READINGS:
    _add(row)
