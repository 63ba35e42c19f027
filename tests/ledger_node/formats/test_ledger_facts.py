"""What the ledger gets of an invoice: parties by any strong identifier, accounts as fingerprints, all it can hold."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from trade_papers import cii, credit_note_ubl, swap, ubl

from chaincode.records import Facts, from_plain
from ledger_node.demo import samples
from ledger_node.errors import BadRequest
from ledger_node.formats import FormatError, InvoiceFacts, PartyFacts
from ledger_node.formats import fingerprints as fp
from ledger_node.formats import ledger_facts as room
from ledger_node.formats.ledger_facts import lacking, ledger_facts, require_due_date, require_payable
from ledger_node.formats.naming import identities, is_named, named_among
from ledger_node.formats.ubl_cii import read_credit_note, read_invoice

KEY = bytes(range(32))
OTHER_ACCOUNT = "NL91ABNA0417164300"


def _record(msp_id: str, entity: samples.LegalEntity, **changes: Any) -> dict[str, Any]:
    return {
        "msp_id": msp_id,
        "name": entity.name,
        "identity_fingerprint": fp.identity(KEY, entity.vat_id),
        "payout_fingerprint": fp.account(KEY, samples.SUPPLIER_IBAN),
        "former_payouts": [],
        "pending_payout": None,
    } | changes


SUPPLIER, BUYER = _record("SupplierMSP", samples.SUPPLIER), _record("BuyerMSP", samples.BUYER)
PARTIES = [SUPPLIER, BUYER, _record("OtherMSP", dataclasses.replace(samples.BUYER, name="Other", vat_id="FR1"))]


@pytest.fixture
def facts() -> InvoiceFacts:
    return read_invoice(ubl())


def _ledger(facts: InvoiceFacts, **supplier: Any) -> dict[str, Any]:
    return ledger_facts(KEY, facts, SUPPLIER | supplier, BUYER)


def _refusal(facts: InvoiceFacts, **supplier: Any) -> FormatError:
    with pytest.raises(FormatError) as refusal:
        require_payable(KEY, facts, SUPPLIER | supplier, BUYER)
    return refusal.value


def test_the_ledger_gets_parties_and_account_as_fingerprints_only(facts: InvoiceFacts) -> None:
    expected = {
        "amount_minor": 100_050,
        "currency": "EUR",
        "issue_date": "2026-11-02",
        "due_date": "2027-01-31",
        "supplier": fp.identity(KEY, "DE 271 828 180"),
        "buyer": fp.identity(KEY, "nl001234511b01"),
        "payee": fp.account(KEY, "DE89 3704 0044 0532 0130 00"),
    }
    found = _ledger(facts)
    assert expected == {name: found[name] for name in expected}
    assert not any(found[name] for name in found.keys() - expected.keys())
    require_payable(KEY, facts, SUPPLIER, BUYER)


def test_an_invoice_without_account_names_no_payee(facts: InvoiceFacts) -> None:
    bare = dataclasses.replace(facts, payee_accounts=())
    assert _ledger(bare)["payee"] == ""
    require_payable(KEY, bare, SUPPLIER, BUYER)


# Parties


@pytest.mark.parametrize(
    "party",
    [
        PartyFacts(vat_id=samples.BUYER.vat_id),
        PartyFacts(name="another name", legal_id="nl 001234511-b01"),
        PartyFacts(legal_id=samples.BUYER.lei, legal_id_scheme="0199", vat_id=samples.BUYER.vat_id),
        PartyFacts(tax_ids=(("GST", samples.BUYER.vat_id),)),
        PartyFacts(identifiers=(("", samples.BUYER.vat_id),)),
        PartyFacts(name="ATLAS Machinebouw BV"),
        PartyFacts(name=samples.BUYER.name, identifiers=(("", "customer 17"),)),
    ],
)
def test_a_party_is_named_by_any_identifier_that_it_is_registered_under_or_by_its_name_alone(party: PartyFacts) -> None:
    assert is_named(KEY, party, BUYER)
    assert not is_named(KEY, party, PARTIES[2])
    assert named_among(KEY, party, PARTIES) == BUYER


@pytest.mark.parametrize(
    "party",
    [
        PartyFacts(),
        PartyFacts(name="Atlas"),
        PartyFacts(name=samples.BUYER.name, vat_id="NL9"),
        PartyFacts(name=samples.BUYER.name, legal_id="HRB 1"),
        PartyFacts(name=samples.BUYER.name, tax_ids=(("GST", "M90001234A"),)),
    ],
)
def test_a_name_does_not_outweigh_an_identifier_that_is_another(party: PartyFacts) -> None:
    assert not is_named(KEY, party, BUYER)


def test_of_several_registered_identifiers_any_will_do_and_none_may_contradict() -> None:
    registered = {"0088": [fp.identity(KEY, samples.BUYER.gln)], "0199": [fp.identity(KEY, samples.BUYER.lei)]}
    record = BUYER | {"identities": registered}
    by_gln = PartyFacts(identifiers=(("0088", samples.BUYER.gln),))
    assert is_named(KEY, by_gln, record)
    assert not is_named(KEY, by_gln, BUYER)
    contradicted = dataclasses.replace(by_gln, legal_id="529900000000000000", legal_id_scheme="0199")
    assert not is_named(KEY, contradicted, record)
    two_glns = record | {"identities": registered | {"0088": [fp.identity(KEY, "x"), *registered["0088"]]}}
    assert is_named(KEY, by_gln, two_glns)
    assert not is_named(KEY, by_gln, two_glns | {"identities": {"0088": [fp.identity(KEY, "x")]}})
    both_glns = dataclasses.replace(by_gln, identifiers=(("0088", "8710000000024"), ("0088", samples.BUYER.gln)))
    assert is_named(KEY, both_glns, record)


def test_an_identifier_that_is_registered_and_contradicts_outweighs_all_that_match(facts: InvoiceFacts) -> None:
    other = {"0199": [fp.identity(KEY, "529900T8BM49AURSDO55")]}
    assert facts.buyer.legal_id_scheme == "0199"
    require_payable(KEY, facts, SUPPLIER, BUYER)
    with pytest.raises(FormatError, match="0199") as refusal:
        require_payable(KEY, facts, SUPPLIER, BUYER | {"identities": other})
    assert refusal.value.code == "PARTY_DIFFERS"
    assert "change-identities" in refusal.value.remedy


def test_a_buyer_that_another_party_is_as_well_is_told_at_registration(facts: InvoiceFacts) -> None:
    by_name = dataclasses.replace(facts, buyer=PartyFacts(name=samples.BUYER.name))
    twin = BUYER | {"msp_id": "TwinMSP", "identity_fingerprint": fp.identity(KEY, "twin")}
    require_payable(KEY, by_name, SUPPLIER, BUYER, PARTIES)
    with pytest.raises(FormatError, match="TwinMSP") as refusal:
        require_payable(KEY, by_name, SUPPLIER, BUYER, [*PARTIES, twin])
    assert (refusal.value.code, bool(refusal.value.remedy)) == ("PARTY_DIFFERS", True)


SCHEMES = {
    "VAT": "VAT",
    "va": "VAT",
    "LEI": "0199",
    "gln": "0088",
    "0204": "0204",
    "legal": "legal",
    "GST": "tax:GST",
    "tax:fc": "tax:FC",
}


@pytest.mark.parametrize("written", SCHEMES)
def test_a_scheme_is_registered_as_documents_have_it(written: str) -> None:
    assert identities(KEY, [(written, samples.BUYER.lei if written == "LEI" else "8710000000017")]).keys() == {
        SCHEMES[written]
    }


def test_what_is_registered_is_what_documents_are_found_by() -> None:
    named = [("LEI", samples.BUYER.lei), ("GST", "M90001234A"), ("GST", "m-90001234-b"), ("0204", "991-1")]
    record = BUYER | {"identities": identities(KEY, named)}
    for party in (
        PartyFacts(legal_id=samples.BUYER.lei, legal_id_scheme="0199"),
        PartyFacts(tax_ids=(("GST", "M90001234B"),)),
        PartyFacts(identifiers=(("0204", "9911"),)),
    ):
        assert is_named(KEY, party, record)
        assert not is_named(KEY, party, BUYER)


@pytest.mark.parametrize(
    ("scheme", "text"),
    [("LEI", "529900T8BM49AURSDO56"), ("GLN", "8710000000018"), ("a scheme", "1"), ("", "1"), ("VAT", "--")],
)
def test_an_identifier_that_is_none_is_refused_with_what_to_do(scheme: str, text: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        identities(KEY, [(scheme, text)])
    assert refusal.value.remedy


def test_a_name_that_two_parties_have_is_nobodys() -> None:
    twin = BUYER | {"msp_id": "TwinMSP", "identity_fingerprint": fp.identity(KEY, "twin")}
    assert named_among(KEY, PartyFacts(name=samples.BUYER.name), [BUYER, twin]) is None


@pytest.mark.parametrize("what", ["supplier", "buyer"])
def test_a_party_that_differs_is_told_by_name_and_identifier_and_the_ledger_sees_it(
    facts: InvoiceFacts, what: str
) -> None:
    other = dataclasses.replace(facts, **{what: PartyFacts(name="Else", vat_id="FR77123456789")})  # type: ignore[arg-type]
    refusal = _refusal(other)
    assert refusal.code == "PARTY_DIFFERS"
    assert all(part in refusal.text for part in (what, "FR77123456789", f"{what.capitalize()}MSP"))
    assert refusal.remedy
    assert _ledger(other)[what] == fp.identity(KEY, "FR77123456789")


def test_a_tax_number_of_another_scheme_is_looked_for_by_that_scheme() -> None:
    content = swap(cii(), f'schemeID="VA">{samples.SUPPLIER.vat_id}', 'schemeID="GST">M90001234A').replace(
        b"0199", b"9999"
    )
    facts = read_invoice(content)
    assert "9999" in _refusal(facts).text
    require_payable(KEY, facts, SUPPLIER | {"identities": {"tax:GST": [fp.identity(KEY, "M90001234A")]}}, BUYER)


# Accounts


def test_a_payee_who_is_the_supplier_itself_changes_nothing(facts: InvoiceFacts) -> None:
    for payee in (
        PartyFacts(name=facts.supplier.name),
        PartyFacts(name="written otherwise", vat_id=facts.supplier.vat_id),
        PartyFacts(),
    ):
        same = dataclasses.replace(facts, payee=payee)
        assert _ledger(facts) == _ledger(same)
        require_payable(KEY, same, SUPPLIER, BUYER)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"payee": PartyFacts(name="A factor")}, "PAYEE_DIFFERS"),
        ({"payee": PartyFacts(name="A factor"), "payee_accounts": ()}, "PAYEE_DIFFERS"),
        ({"payee": PartyFacts(name=samples.SUPPLIER.name, legal_id="HRB 9")}, "PAYEE_DIFFERS"),
        ({"payee_accounts": (OTHER_ACCOUNT,)}, "PAYEE_DIFFERS"),
        ({"payment_means": ("59",)}, "COLLECTED"),
        ({"payment_means": ("30", "48")}, "COLLECTED"),
        ({"payment_means": ("49",), "payee_accounts": ()}, "COLLECTED"),
    ],
)
def test_what_is_not_payable_to_the_suppliers_account_is_told_and_matches_no_account_on_the_ledger(
    facts: InvoiceFacts, change: dict[str, Any], code: str
) -> None:
    changed = dataclasses.replace(facts, **change)
    refusal = _refusal(changed)
    assert (code, True) == (refusal.code, bool(refusal.remedy))
    assert _ledger(changed)["payee"] not in ("", fp.account(KEY, samples.SUPPLIER_IBAN))


def test_several_accounts_are_the_suppliers_when_it_has_registered_all_of_them(facts: InvoiceFacts) -> None:
    two = dataclasses.replace(facts, payee_accounts=(OTHER_ACCOUNT, samples.SUPPLIER_IBAN))
    registered = {fp.account(KEY, each) for each in two.payee_accounts}
    former = [{"fingerprint": fp.account(KEY, OTHER_ACCOUNT), "replaced_on": "2026-12-01"}]
    pending = {"fingerprint": fp.account(KEY, OTHER_ACCOUNT), "from_day": "2026-12-01", "not_before_seconds": 0}
    for supplier in ({"former_payouts": former}, {"pending_payout": pending}):
        found = _ledger(two, **supplier)
        assert {found["payee"], *found.get("other_payees", [])} <= registered
        require_payable(KEY, two, SUPPLIER | supplier, BUYER)
    unknown = _ledger(two)
    assert not {unknown["payee"], *unknown.get("other_payees", [])} <= {fp.account(KEY, samples.SUPPLIER_IBAN)}


# Credit notes


@pytest.mark.parametrize(
    ("content", "amount_minor", "code"),
    [
        (credit_note_ubl(), 10_000, ""),
        (credit_note_ubl(preceding=["inv/0001"]), 10_000, ""),
        (credit_note_ubl(), 9_999, "CREDIT_DIFFERS"),
        (credit_note_ubl(preceding=["INV-2"]), 10_000, "CREDIT_DIFFERS"),
        (swap(credit_note_ubl(), samples.BUYER.vat_id, "FR77123456789"), 10_000, "PARTY_DIFFERS"),
    ],
)
def test_a_credit_note_credits_what_its_document_says_on_the_invoice_that_it_names(
    facts: InvoiceFacts, content: bytes, amount_minor: int, code: str
) -> None:
    invoice = {
        "facts": {"currency": "EUR"},
        "fingerprints": fp.fingerprints(KEY, facts, SUPPLIER["msp_id"], BUYER["msp_id"], KEY),
    }
    note = read_credit_note(content)
    if not code:
        room.require_credit(KEY, note, amount_minor, invoice, SUPPLIER, BUYER)
        return
    with pytest.raises(FormatError) as refusal:
        room.require_credit(KEY, note, amount_minor, invoice, SUPPLIER, BUYER)
    assert code == refusal.value.code


# What else it says, and what it does not say


def test_every_field_of_the_contracts_facts_is_given_and_no_other(facts: InvoiceFacts) -> None:
    assert list(_ledger(facts)) == [field.name for field in dataclasses.fields(Facts)]
    assert from_plain(Facts, _ledger(facts)).due_date == "2027-01-31"


@pytest.mark.parametrize(
    ("change", "field"),
    [({"preceding_references": ("INV-0",)}, "predecessors"), ({"type_code": "386"}, "conditions")],
)
def test_what_stops_an_invoice_goes_to_the_ledger(facts: InvoiceFacts, change: dict[str, Any], field: str) -> None:
    assert _ledger(dataclasses.replace(facts, **change))[field]
    assert not _ledger(facts)[field]


@pytest.mark.parametrize("has_terms", [True, False])
def test_an_invoice_without_due_date_says_at_upload_what_has_to_be_stated(facts: InvoiceFacts, has_terms: bool) -> None:
    undated = dataclasses.replace(facts, due_date=None, has_terms=has_terms)
    assert _ledger(undated)["due_date"] == ""
    [note] = lacking(undated)
    assert ("in words" in note) == has_terms
    assert "stated_due_date" in note
    assert lacking(facts) == []


def test_a_due_date_is_stated_where_the_file_has_none_and_nowhere_else(facts: InvoiceFacts) -> None:
    undated = dataclasses.replace(facts, due_date=None, has_terms=True)
    require_due_date(undated, "2027-01-31")
    require_due_date(facts, "")
    for read, stated, code in ((undated, "", "DUE_DATE_MISSING"), (facts, "2027-01-31", "DUE_DATE_IN_DOCUMENT")):
        with pytest.raises(FormatError) as refusal:
            require_due_date(read, stated)
        assert refusal.value.code == code
        assert refusal.value.remedy


def test_an_invoice_on_a_party_that_the_ledger_does_not_know_still_has_facts(facts: InvoiceFacts) -> None:
    found = ledger_facts(KEY, facts, SUPPLIER, None)
    assert found["buyer"] == fp.identity(KEY, samples.BUYER.vat_id)
    assert found["issue_date"] == dt.date(2026, 11, 2).isoformat()
