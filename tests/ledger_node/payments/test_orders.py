"""Payment orders: valid to the published schema, one redemption a message, and nothing that a bank would change."""

from __future__ import annotations

import dataclasses
import datetime
from importlib import resources
from typing import get_args

import pytest
from bank_files import OTHER, OWN
from lxml import etree

from ledger_node.errors import BadRequest
from ledger_node.formats.iso20022 import at, read_message, text_at
from ledger_node.payments import Account, Order, order_file
from ledger_node.payments.orders import Form

NOW = datetime.datetime(2026, 11, 27, 9, 30, 15, 123456, datetime.UTC)
BANK = Account("Issuing Bank AG", OWN, "DE", "Frankfurt", bic="COBADEFFXXX")
PAYEE = Account("Exempel AB", OTHER, "FR", "Lyon", bic="BNPAFRPP", street="Rue A", building="7", postcode="69001")
ORDER = Order(
    redemption_id="5f0c8b2e9a7d4e31b6c2a1908f7e6d5c",
    amount_minor=123450,
    currency="EUR",
    payer=BANK,
    payee=PAYEE,
    execution_date=datetime.date(2026, 11, 30),
    text="Redemption of deposit money",
)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """ISO's own, as another library ships it."""
    with resources.as_file(resources.files("sepaxml").joinpath("schemas/pain.001.001.09.xsd")) as path:
        return etree.XMLSchema(etree.parse(path))


@pytest.mark.parametrize(
    "order",
    [
        ORDER,
        dataclasses.replace(ORDER, payer=dataclasses.replace(BANK, bic=""), payee=dataclasses.replace(PAYEE, bic="")),
        dataclasses.replace(ORDER, currency="JPY", amount_minor=1234),
        dataclasses.replace(ORDER, currency="CHF", amount_minor=5),
    ],
)
def test_a_customer_s_order_is_valid_to_the_schema(order: Order, schema: etree.XMLSchema) -> None:
    schema.assertValid(etree.fromstring(order_file(order, "pain.001", NOW)))


def test_a_customer_s_order_says_who_pays_whom_what_and_when() -> None:
    _, message = read_message(order_file(ORDER, "pain.001", NOW), ("pain.001",))
    part = message.pmt_inf[0]
    payment = part.cdt_trf_tx_inf[0]
    assert text_at(payment, "amt.instd_amt.value") == "1234.50" == str(message.grp_hdr.ctrl_sum)
    assert (text_at(part, "dbtr_acct.id.iban"), text_at(payment, "cdtr_acct.id.iban")) == (OWN, OTHER)
    assert (text_at(payment, "cdtr.pstl_adr.twn_nm"), text_at(payment, "cdtr.pstl_adr.ctry")) == ("Lyon", "FR")
    assert text_at(part, "reqd_exctn_dt.dt") == "2026-11-30"
    assert not at(payment, "cdtr.pstl_adr.adr_line")


def test_a_bank_s_order_names_both_banks() -> None:
    _, message = read_message(order_file(ORDER, "pacs.008", NOW), ("pacs.008",))
    payment = message.cdt_trf_tx_inf[0]
    assert text_at(payment, "intr_bk_sttlm_amt.value") == "1234.50"
    agents = [text_at(payment, f"{side}_agt.fin_instn_id.bicfi") for side in ("dbtr", "cdtr")]
    assert agents == ["COBADEFFXXX", "BNPAFRPP"]


@pytest.mark.parametrize("form", get_args(Form))
def test_an_order_exported_again_is_the_same_payment_to_a_bank(form: Form) -> None:
    first, again = (
        order_file(ORDER, form, NOW + datetime.timedelta(hours=hours)).decode().replace(f"T{9 + hours:02}:", "T09:")
        for hours in (0, 3)
    )
    assert first == again
    ids = [
        node.text for node in etree.fromstring(first.encode()).iter() if str(node.tag).endswith(("MsgId", "EndToEndId"))
    ]
    assert ids == [ORDER.redemption_id] * 2


@pytest.mark.parametrize("side", ["payer", "payee"])
@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("iban", "DE75512108001245126198", "IBAN is none"),
        ("iban", "not an account", "IBAN is none"),
        ("bic", "COBADE", "is none"),
        ("name", "Müller GmbH", "characters that banks replace: ü"),
        ("name", "A & B", "characters that banks replace: &"),
        ("name", "/starts with a slash", "characters that banks replace"),
        ("name", "n" * 71, "more than 70 characters"),
        ("name", " ", "has no name"),
        ("town", "", "has no town"),
        ("town", "t" * 36, "more than 35 characters"),
        ("building", "b" * 17, "more than 16 characters"),
        ("postcode", "1" * 17, "more than 16 characters"),
        ("country", "Germany", "is not a country"),
    ],
)
def test_what_a_bank_would_cut_replace_or_refuse_is_refused_by_name(
    side: str, field: str, value: str, why: str
) -> None:
    order_file(ORDER, "pain.001", NOW)
    changed = dataclasses.replace(getattr(ORDER, side), **{field: value})
    with pytest.raises(BadRequest, match=why):
        order_file(dataclasses.replace(ORDER, **{side: changed}), "pain.001", NOW)


@pytest.mark.parametrize(
    ("change", "form", "why"),
    [
        ({"text": "t" * 141}, "pain.001", "more than 140"),
        ({"amount_minor": 100_000_000_000}, "pain.001", "SEPA transfers nothing above"),
        ({"payee": dataclasses.replace(PAYEE, bic="")}, "pacs.008", "has no BIC"),
    ],
)
def test_an_order_that_no_bank_takes_is_refused(change: dict[str, object], form: Form, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        order_file(dataclasses.replace(ORDER, **change), form, NOW)  # type: ignore[arg-type]
