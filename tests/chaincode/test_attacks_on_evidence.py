"""Attacks on what the seven classes rest on, each with a control, identical but for one step, that goes through."""

from __future__ import annotations

import pytest
from life_worlds import ID, NEXT_DAY, REASON, duplicate, read
from refusal_rows import OTHER_BANK, OTHER_BUYER, OTHER_SUPPLIER, enrolled, everybody
from world import World, found, play
from world_bodies import (
    BUYER,
    CARRIER,
    DUE,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    approval,
    attestation,
    body,
    document,
    event,
    facts,
    fingerprints,
    hex64,
    hexid,
    invoice,
    party,
    request,
    story,
)

PAID = [hexid("invoice")]
LATE, MUCH_LATER = "2027-01-25", "2027-04-30"
EXTENDED = {**ID, "due_date": MUCH_LATER}
FUNDING = {**ID, "facility_id": hexid("facility")}


def owed_and_late(marked: bool = True) -> World:
    """An approved invoice that nobody was asked to finance and nobody has paid, after its due date."""
    world = everybody()
    assert play(world, without=["request"]) == []
    world.open_day(LATE)
    if marked:
        world.must(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")])
    return world


def offer(world: World, day: str = "2027-12-31") -> list[str]:
    released: list[str] = world.must(SUPPLIER, "RequestEarlyPayment", **request(valid_until=day))["released"]
    return released


def test_a_late_debt_that_its_supplier_extends_is_not_financed_as_if_it_were_fresh() -> None:
    world, control = owed_and_late(), everybody()
    assert play(control, without=["request"]) == []
    world.must(SUPPLIER, "ExtendDueDate", **EXTENDED)
    assert (offer(control), offer(world)) == (PAID, [])
    assert world.classes()["AMOUNT"] == "FACTS_DIFFER"
    assert world.refusal(FINANCIER, "FundInvoice", **FUNDING) == "NOT_RELEASABLE"


def test_a_debt_that_was_extended_is_financed_when_the_buyer_approves_its_new_date_and_a_person_decides() -> None:
    world = owed_and_late()
    world.must(SUPPLIER, "ExtendDueDate", **EXTENDED)
    offer(world)
    world.must(BUYER, "WithdrawApproval", **ID, **REASON)
    assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "APPROVAL_DIFFERS"
    assert world.must(BUYER, "ApproveInvoice", **approval(due_date=MUCH_LATER))["released"] == []
    assert [name for name, reason in world.classes().items() if reason != "HOLDS"] == ["FACILITY"]
    assert world.classes()["FACILITY"] == "DECISION_MISSING"
    assert world.must(FINANCIER, "FundInvoice", **FUNDING)["released"] == PAID


@pytest.mark.parametrize("type_", ["WithdrawApproval", "DisputeInvoice"])
@pytest.mark.parametrize(("day", "refused"), [(DUE, False), (LATE, True)])
def test_a_buyer_cannot_make_its_arrears_vanish_before_somebody_marks_them(type_: str, day: str, refused: bool) -> None:
    world = everybody()
    assert play(world, without=["request"]) == []
    world.open_day(day)
    if refused:
        assert world.refusal(BUYER, type_, **ID, **REASON) == "DUE_DATE_PASSED"
        world.must(SUPPLIER, "ExtendDueDate", **EXTENDED)
    world.must(BUYER, type_, **ID, **REASON)
    assert read(world)["approval"] is None


def test_a_claim_that_its_buyer_has_never_approved_may_be_disputed_however_late() -> None:
    world = everybody()
    assert play(world, without=["request", "approval"]) == []
    world.open_day(LATE)
    world.must(BUYER, "DisputeInvoice", **ID, **REASON)


def test_the_arrears_of_a_buyer_that_nobody_has_marked_stop_its_next_invoice() -> None:
    world = owed_and_late(marked=False)
    world.open_day("2027-02-08")
    said = {"facts": facts(issue_date="2027-02-05", due_date=MUCH_LATER), "fingerprints": fingerprints("new")}
    world.must(SUPPLIER, "RegisterDocument", **document("new paper"))
    for msp_id in (BUYER, FINANCIER):
        world.must(msp_id, "AttestDocument", **attestation("new paper", **said))
    world.must(SUPPLIER, "RegisterInvoice", **invoice("new", document_ids=[hexid("new paper")], **said))
    world.must(SUPPLIER, "RequestEarlyPayment", **request("new", valid_until="2027-12-31"))
    world.must(BUYER, "ApproveInvoice", **approval("new", due_date=MUCH_LATER))
    assert world.classes("new")["FACILITY"] == "BUYER_OVERDUE"
    assert world.refusal(BUYER, "WithdrawApproval", **ID, **REASON) == "DUE_DATE_PASSED"
    world.must(SUPPLIER, "CancelInvoice", **ID, **REASON)
    assert world.must(CARRIER, "CheckRelease", invoice_ids=[hexid("new")])["released"] == [hexid("new")]


@pytest.mark.parametrize(("identity", "refused"), [(SUPPLIER, True), (CARRIER, False)])
def test_a_supplier_does_not_found_a_consortium_with_itself_as_its_carrier(identity: str, refused: bool) -> None:
    world = World()
    carrier = party(CARRIER, "carrier", identity_fingerprint=hex64(f"identity {identity}"))
    listed = [carrier if one["msp_id"] == CARRIER else one for one in PARTIES]
    if refused:
        assert world.refusal(SUPPLIER, "FoundConsortium", parties=listed) == "FOUNDING_INVALID"
    else:
        found(world, listed)
        assert play(world) == PAID


@pytest.mark.parametrize(("identity", "refused"), [(SUPPLIER, True), ("TwinMSP", False)])
def test_a_supplier_is_not_admitted_a_second_time_to_sell_its_invoices_again(identity: str, refused: bool) -> None:
    """A payout account may be shared inside a group, an identity may not."""
    world = everybody()
    shared = {"payout_fingerprint": hex64(f"payout {SUPPLIER}"), "group_id": f"{SUPPLIER}-group"}
    twin = party("TwinMSP", "supplier", identity_fingerprint=hex64(f"identity {identity}"), **shared)
    asked = {"change_id": hexid("change"), "party": twin}
    if refused:
        assert world.refusal(BUYER, "ProposeParty", **asked) == "PARTY_INVALID"
    else:
        assert world.must(BUYER, "ProposeParty", **asked) == {"status": "open"}


TWIN = {"invoice_id": hexid("twin"), **REASON}
BOTH, OTHERS = ("anna", "berta"), ("carl", "dora")


def looks_alike() -> World:
    """A registered invoice that looks like another one, of a buyer with four persons."""
    world = duplicate()
    enrolled(BUYER, persons=(*BOTH, *OTHERS))(world)
    return world


def test_who_cleared_a_duplicate_does_not_approve_it_but_others_do() -> None:
    world = looks_alike()
    world.must(BUYER, "ClearDuplicate", persons=BOTH, **TWIN)
    assert world.refusal(BUYER, "ApproveInvoice", persons=BOTH, **approval("twin")) == "APPROVER_CANNOT_CLEAR"
    assert world.refusal(BUYER, "ApproveInvoice", persons=("berta", "carl"), **approval("twin")) == (
        "APPROVER_CANNOT_CLEAR"
    )
    world.must(BUYER, "ApproveInvoice", persons=OTHERS, **approval("twin"))


def test_a_withdrawn_approval_does_not_let_its_approvers_clear_the_duplicate_and_approve_it_again() -> None:
    world = looks_alike()
    world.must(BUYER, "ApproveInvoice", persons=BOTH, **approval("twin"))
    world.must(BUYER, "WithdrawApproval", **TWIN)
    world.must(BUYER, "ClearDuplicate", persons=BOTH, **TWIN)
    assert world.refusal(BUYER, "ApproveInvoice", persons=BOTH, **approval("twin")) == "APPROVER_CANNOT_CLEAR"
    world.must(BUYER, "ApproveInvoice", persons=OTHERS, **approval("twin"))


@pytest.mark.parametrize(("name", "needed"), [("twin", True), ("invoice", False)])
def test_no_threshold_lets_somebody_unknown_approve_a_duplicate(name: str, needed: bool) -> None:
    world = looks_alike()
    world.must(BUYER, "SetFourEyesThreshold", persons=BOTH, currency="EUR", amount_minor=10**9)
    world.open_day(NEXT_DAY)
    if needed:
        assert world.refusal(BUYER, "ApproveInvoice", **approval(name)) == "TWO_PERSONS_REQUIRED"
        world.must(BUYER, "ApproveInvoice", persons=BOTH, **approval(name))
    else:
        world.must(BUYER, "ApproveInvoice", **approval(name))


@pytest.mark.parametrize("anew", [False, True])
def test_a_duplicate_that_nobody_in_particular_approved_is_not_cleared(anew: bool) -> None:
    """It was approved before the buyer had persons; given anew, the approval says by whom."""
    world = duplicate()
    world.must(BUYER, "ApproveInvoice", **approval("twin"))
    enrolled(BUYER, persons=(*BOTH, *OTHERS))(world)
    if anew:
        world.must(BUYER, "WithdrawApproval", **TWIN)
        world.must(BUYER, "ApproveInvoice", persons=BOTH, **approval("twin"))
        world.must(BUYER, "ClearDuplicate", persons=OTHERS, **TWIN)
    else:
        assert world.refusal(BUYER, "ClearDuplicate", persons=OTHERS, **TWIN) == "APPROVER_CANNOT_CLEAR"


@pytest.mark.parametrize("claims", [True, False])
def test_an_invoice_that_leaves_out_the_delivery_that_its_proof_names_is_not_financed(claims: bool) -> None:
    told = {"delivery": hex64("delivery")}
    claimed = fingerprints() | (told if claims else {})
    steps = story() | body("invoice", fingerprints=claimed)
    for who in ("buyer", "financier"):
        steps |= body(f"{who} document", fingerprints=fingerprints())
    steps |= body("buyer proof", fingerprints=told)
    steps["financier proof"] = (FINANCIER, "AttestDocument", attestation("proof", fingerprints=told))
    world = everybody()
    assert play(world, steps) == (PAID if claims else [])
    if claims:
        second = invoice("second") | {"fingerprints": fingerprints("second") | told}
        assert world.must(SUPPLIER, "RegisterInvoice", **second)["duplicate_of"] == hexid("invoice")
        assert world.classes("second")["UNIQUE"] == "ALREADY_FINANCED"
    else:
        assert world.classes()["UNIQUE"] == "DELIVERY_UNCLAIMED"


@pytest.mark.parametrize(("group", "paid"), [(CARRIER, []), (SUPPLIER, PAID)])
def test_a_carrier_of_the_group_that_the_financier_found_the_supplier_in_delivers_and_attests_nothing(
    group: str, paid: list[str]
) -> None:
    world = everybody()
    assert play(world, story() | body("acceptance", group_id=f"{group}-group")) == paid
    if not paid:
        reasons = {name: reason for name, reason in world.classes().items() if reason != "HOLDS"}
        assert reasons == {"INTEGRITY": "ATTESTATIONS_MISSING", "DELIVERY": "ONLY_SUPPLIER_SAYS_SO"}
        world.must(FINANCIER, "AttestDocument", **attestation("proof"))
        assert world.must(BUYER, "RecordShipmentEvent", **event("too"))["released"] == PAID


@pytest.mark.parametrize(("group", "paid"), [(BUYER, []), (CARRIER, PAID)])
def test_two_parties_of_one_group_are_one_witness(group: str, paid: list[str]) -> None:
    world = World()
    sister = party(CARRIER, "carrier", group_id=f"{group}-group")
    found(world, [sister if one["msp_id"] == CARRIER else one for one in PARTIES])
    assert play(world) == paid
    if not paid:
        assert world.classes()["INTEGRITY"] == "ATTESTATIONS_MISSING"
        assert world.must(FINANCIER, "AttestDocument", **attestation("proof"))["released"] == PAID


@pytest.mark.parametrize(("replaced", "paid"), [(True, []), (False, PAID)])
def test_a_stolen_account_that_its_owner_has_replaced_is_good_for_no_new_invoice(
    replaced: bool, paid: list[str]
) -> None:
    """The control is registered the day before: it is payable to what was the supplier's account then."""
    world, stolen = everybody(), hex64("stolen account")
    world.must(SUPPLIER, "ChangePayoutAccount", payout_fingerprint=stolen)
    world.open_day("2026-11-25")
    world.must(SUPPLIER, "ChangePayoutAccount", payout_fingerprint=hex64(f"payout {SUPPLIER}"))
    if replaced:
        world.open_day("2026-11-26")
    said = facts(payee=stolen)
    steps = story() | body("invoice", facts=said)
    steps |= body("buyer document", facts=said) | body("financier document", facts=said)
    assert play(world, steps, without=["approval"]) == []
    world.open_day("2026-11-27")
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == paid
    assert world.classes()["AMOUNT"] == ("PAID" if paid else "PAYEE_DIFFERS")


@pytest.mark.parametrize(("roles", "paid"), [(["supplier"], []), (["carrier", "supplier"], PAID)])
def test_a_carrier_that_has_lost_its_role_delivers_nothing(roles: list[str], paid: list[str]) -> None:
    world = everybody()
    assert play(world, without=["delivered", "approval"]) == []
    change = {"change_id": hexid("change")}
    world.must(BUYER, "ChangeRoles", **change, msp_id=CARRIER, roles=roles, issue_limits={})
    for other in (FINANCIER, OTHER_SUPPLIER, OTHER_BUYER, OTHER_BANK):
        said = world.must(other, "VoteMembership", **change)
    assert said == {"status": "applied"}
    world.open_day(NEXT_DAY)
    world.must(CARRIER, "RecordShipmentEvent", **event())
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == paid
    if not paid:
        assert world.classes()["DELIVERY"] == "ONLY_SUPPLIER_SAYS_SO"
        assert world.must(BUYER, "RecordShipmentEvent", **event("too"))["released"] == PAID


@pytest.mark.parametrize("name", ["financier", "BankMSP2"])
def test_a_party_with_the_name_of_a_role_does_not_speak_for_a_financier_that_nobody_has_asked(name: str) -> None:
    world = World()
    found(world, (*PARTIES, party(name, "financier")))
    _, type_, read_in_it = story()["financier document"]
    steps = story() | body("document", entitled=[BUYER, FINANCIER, name])
    play(world, steps | {"other document": (name, type_, read_in_it)}, without=["request", "financier document"])
    assert world.classes()["AMOUNT"] == "FACTS_MISSING"
    assert world.classes()["UNIQUE"] == "FINGERPRINTS_MISSING"
