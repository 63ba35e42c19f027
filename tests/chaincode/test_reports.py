"""Reports at past blocks in two currencies, with figures computed by hand in the comments."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from deals import LATE, LISTED, LOST, PART_PAID, YEN, Deals, delivered, financed, register, traded
from projected import ProjectedWorld
from world import found
from world_bodies import (
    BUYER,
    DAY,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    acceptance,
    deposit,
    facility,
    fingerprints,
    hex64,
    hexid,
)

from ledger_node import reports
from ledger_node.errors import BadRequest
from ledger_node.readmodel import ReadModel
from ledger_node.reports.tables import Row, Table, decimal
from ledger_node.reports.tenor import Tenor


@pytest.fixture(scope="module")
def deals() -> Deals:
    return traded()


@pytest.fixture(scope="module")
def readmodel(deals: Deals, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadModel]:
    yield deals.world.read_model(tmp_path_factory.mktemp("reports") / "readmodel.db")


def shown(table: Table, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in table.rows]


def everything(past: reports.Past) -> list[Table]:
    """All reports that there are."""
    return [
        *(reports.statement(past, party) for party in (SUPPLIER, BUYER, FINANCIER)),
        reports.exposure(past),
        reports.ageing(past),
        reports.maturities(past),
        reports.totals(past),
        reports.early_payments(past),
        *(reports.journal(past, party) for party in (SUPPLIER, BUYER, FINANCIER)),
        reports.disclosure(past, BUYER, DAY),
        reports.duplicates(past),
    ]


@pytest.mark.parametrize("moment", ["paid", "part_paid", "late", "lost"])
def test_a_report_at_a_past_block_is_the_report_of_that_day(
    deals: Deals, readmodel: ReadModel, moment: str, tmp_path: Path
) -> None:
    block = getattr(deals, moment)
    then = deals.world.read_model(tmp_path / "then.db", block + 1)
    assert everything(reports.at_block(readmodel, block)) == everything(reports.at_block(then))


def test_a_block_that_the_node_does_not_know_is_named(deals: Deals, readmodel: ReadModel) -> None:
    for block in (-1, deals.lost + 1):
        with pytest.raises(BadRequest, match=str(deals.lost)):
            reports.at_block(readmodel, block)
    assert reports.at_block(readmodel, deals.late).day == LATE


@pytest.mark.parametrize(
    ("as_of", "day"),
    [(DAY, DAY), ("2026-12-14", DAY), (PART_PAID, PART_PAID), (LATE, LATE), ("2027-02-24", LATE), ("2030-01-01", LOST)],
)
def test_a_report_as_of_a_day_is_that_of_the_last_block_of_it_or_of_the_day_before(
    deals: Deals, readmodel: ReadModel, as_of: str, day: str
) -> None:
    past = reports.at_block(readmodel, as_of=as_of)
    assert past.day == day
    last = past.block_number == deals.lost
    assert last or reports.at_block(readmodel, past.block_number + 1).day > as_of
    assert everything(past)[0].block_number == past.block_number


def test_there_is_no_report_as_of_a_day_before_the_first_or_of_two_moments_at_once(readmodel: ReadModel) -> None:
    with pytest.raises(BadRequest, match=f"the ledger began on {DAY}: there is nothing as of 2026-11-22"):
        reports.at_block(readmodel, as_of="2026-11-22")
    with pytest.raises(BadRequest, match="a block and a day are named"):
        reports.at_block(readmodel, 1, as_of=DAY)


def test_maturities_are_steps_of_days_until_money_is_expected(deals: Deals, readmodel: ReadModel) -> None:
    columns = ("holder", "currency", "invoices", "overdue", "days_0_7", "days_31_60", "total")
    expected = {
        deals.part_paid: [  # due on Friday, 2027-01-22, 38 days on, with three days of grace
            (FINANCIER, "EUR", "1", "0.00", "0.00", "7000.00", "7000.00"),
            (FINANCIER, "JPY", "1", "0", "0", "3000000", "3000000"),
        ],
        deals.lost: [  # 600 000 of what is written off are not expected any more
            (FINANCIER, "EUR", "1", "7000.00", "0.00", "0.00", "7000.00"),
            (FINANCIER, "JPY", "1", "2000000", "0", "0", "2000000"),
        ],
    }
    for block, rows in expected.items():
        assert shown(reports.maturities(reports.at_block(readmodel, block)), *columns) == rows
    assert reports.maturities(reports.at_block(readmodel), SUPPLIER).rows == ()


def test_totals_by_buyer_supplier_and_their_groups_are_each_the_whole(deals: Deals, readmodel: ReadModel) -> None:
    columns = ("scope", "name", "currency", "invoices", "open", "early_paid", "overdue", "written_off")
    whole = ("JPY", "1", "2000000", "2000000", "2000000", "600000")
    found = shown(reports.totals(reports.at_block(readmodel, deals.lost)), *columns)
    assert [row for row in found if row[2] == "JPY"] == [
        ("buyer", BUYER, *whole),
        ("buyer group", f"{BUYER}-group", *whole),
        ("supplier", SUPPLIER, *whole),
        ("supplier group", f"{SUPPLIER}-group", *whole),
    ]
    before = shown(reports.totals(reports.at_block(readmodel, deals.part_paid), FINANCIER), *columns)
    assert [row[3:] for row in before if row[2] == "EUR"] == [("1", "7000.00", "7000.00", "0.00", "0.00")] * 4
    assert reports.totals(reports.at_block(readmodel), SUPPLIER).rows == ()


def test_a_statement_runs_from_its_opening_to_its_closing_balance(deals: Deals, readmodel: ReadModel) -> None:
    past = reports.at_block(readmodel, deals.part_paid)
    found = reports.statement(past, BUYER, DEPOSIT)
    columns = ("day", "step", "counter_account", "debit", "credit", "balance")
    # 20 000.00 in; 5 000.00 less 49.32 (6 % for 60 of 365 days) out; 3 000.00 and 2 000.00 out
    assert shown(found, *columns) == [
        ("", "opening", "", "", "", "0.00"),
        (DAY, "issue", f"issued:{FINANCIER}", "20000.00", "", "20000.00"),
        (DAY, "early_payment", f"cash:{SUPPLIER}", "", "4950.68", "15049.32"),
        (PART_PAID, "settle", f"issued:{FINANCIER}", "", "3000.00", "12049.32"),
        (PART_PAID, "settle", f"issued:{FINANCIER}", "", "2000.00", "10049.32"),
        ("", "closing", "", "", "", "10049.32"),
    ]
    later = reports.statement(past, BUYER, DEPOSIT, from_day="2026-12-01", to_day="2026-12-31")
    assert [row["balance"] for row in later.rows] == ["15049.32", "12049.32", "10049.32", "10049.32"]
    both = reports.statement(past, BUYER)
    assert {row["deposit"] for row in both.rows} == {DEPOSIT, YEN}
    assert [row["balance"] for row in both.rows if row["deposit"] == YEN] == ["0", "3000000", "3000000"]


def test_exposure_is_limit_used_left_and_overdue(deals: Deals, readmodel: ReadModel) -> None:
    columns = ("scope", "currency", "limit", "used_percent", "used", "left", "overdue")
    # 10 000.00 + 2 000.00 financed, 3 000.00 + 2 000.00 paid back: 7 000.00
    before = reports.exposure(reports.at_block(readmodel, deals.part_paid))
    euros = [row for row in shown(before, *columns) if row[1] == "EUR"]
    assert euros == [
        ("facility", "EUR", "100000.00", "7.00", "7000.00", "93000.00", "0.00"),
        ("supplier", "EUR", "50000.00", "14.00", "7000.00", "43000.00", "0.00"),
        ("buyer", "EUR", "80000.00", "8.75", "7000.00", "73000.00", "0.00"),
    ]
    late = reports.exposure(reports.at_block(readmodel, deals.late), FINANCIER)
    assert shown(late, *columns)[-2:] == [
        ("buyer", "EUR", "80000.00", "8.75", "7000.00", "73000.00", "7000.00"),
        ("buyer", "JPY", "", "", "3000000", "", "3000000"),
    ]
    assert reports.exposure(reports.at_block(readmodel), "NobodyMSP").rows == ()


def test_receivables_age_by_days_past_due(deals: Deals, readmodel: ReadModel) -> None:
    columns = ("holder", "currency", "not_due", "days_1_30", "days_31_60", "total", "written_off")
    expected = {
        deals.part_paid: [  # due on 2027-01-22
            (FINANCIER, "EUR", "7000.00", "0.00", "0.00", "7000.00", "0.00"),
            (FINANCIER, "JPY", "3000000", "0", "0", "3000000", "0"),
        ],
        deals.late: [  # three days late
            (FINANCIER, "EUR", "0.00", "7000.00", "0.00", "7000.00", "0.00"),
            (FINANCIER, "JPY", "0", "3000000", "0", "3000000", "0"),
        ],
        deals.lost: [  # 34 days late; 1 000 000 written off, 400 000 of them recovered
            (FINANCIER, "EUR", "0.00", "0.00", "7000.00", "7000.00", "0.00"),
            (FINANCIER, "JPY", "0", "0", "2000000", "2000000", "600000"),
        ],
    }
    for block, rows in expected.items():
        assert shown(reports.ageing(reports.at_block(readmodel, block)), *columns) == rows
    assert reports.ageing(reports.at_block(readmodel), SUPPLIER).rows == ()


def test_early_payments_are_summed_and_their_yield_is_weighted(readmodel: ReadModel) -> None:
    past = reports.at_block(readmodel)
    # EUR financier: 87.50 + 17.50; 105.00 x 360 x 10 000 / ((9 887.50 + 1 957.50) x 63) = 506.54
    # with fees: 155.00 x 360 x 10 000 / ((9 887.50 + 1 957.50) x 63) = 747.76; JPY 27 250 x … = 523.80
    # EUR buyer: 5 000.00 x 6 % x 60 / 365 = 49.3151; 49.32 x 365 x 10 000 / (4 950.68 x 60) = 606.04
    # JPY: 3 000 000 x 5 % x 63 / 360 = 26 250; 26 250 x 360 x 10 000 / (2 972 750 x 63) = 504.58
    columns = ("source", "currency", "count", "face", "discount", "fees", "net", "yield_bps", "yield_with_fees_bps")
    assert shown(reports.early_payments(past), *columns) == [
        ("buyer", "EUR", "1", "5000.00", "49.32", "0.00", "4950.68", "606", "606"),
        ("financier", "EUR", "2", "12000.00", "105.00", "50.00", "11845.00", "507", "748"),
        ("financier", "JPY", "1", "3000000", "26250", "1000", "2972750", "505", "524"),
    ]
    assert reports.early_payments(past, DAY, DAY).rows == reports.early_payments(past).rows
    assert reports.early_payments(past, "2026-11-24").rows == ()
    assert reports.early_payments(past, to_day="2026-11-22").rows == ()


def test_a_discount_is_earned_over_its_tenor_and_the_rest_when_the_buyer_pays_sooner(readmodel: ReadModel) -> None:
    found = reports.journal(reports.at_block(readmodel), FINANCIER)

    def earned(name: str) -> list[tuple[str, str]]:
        mine = [row for row in found.rows if row["invoice_id"] == hexid(name) and row["account"] == "discount income"]
        return [(row["day"], row["credit"]) for row in mine]

    # 8 750 over 63 days: 56 days of 139 and 7 of 138. 7 days to 30 November, 31 in December, 25 in January:
    # 7 x 139 = 973; 31 x 139 = 4 309; 18 x 139 + 7 x 138 = 3 468
    assert earned("invoice") == [("2026-11-30", "9.73"), ("2026-12-31", "43.09"), ("2027-01-25", "34.68")]
    # 1 750 over 63 days: 49 days of 28 and 14 of 27; paid on day 22: 7 x 28 = 196, 15 x 28 = 420, the rest 1 134
    assert earned("second") == [("2026-11-30", "1.96"), (PART_PAID, "4.20"), (PART_PAID, "11.34")]
    # 26 250 over 63 days: 42 days of 417 and 21 of 416. 7 x 417, 31 x 417, 4 x 417 + 21 x 416
    assert earned("third") == [("2026-11-30", "2919"), ("2026-12-31", "12927"), ("2027-01-25", "10404")]


def test_what_is_not_earned_yet_at_a_past_block_is_unearned(deals: Deals, readmodel: ReadModel) -> None:
    found = reports.journal(reports.at_block(readmodel, deals.part_paid), FINANCIER)
    balances = sums(found)
    # of 8 750: 22 days x 139 = 3 058 earned, 5 692 not; of 26 250: 22 x 417 = 9 174 earned, 17 076 not
    assert (balances["unearned discount", "EUR"], balances["unearned discount", "JPY"]) == (-5_692, -17_076)
    assert balances["discount income", "EUR"] == -(3_058 + 1_750)
    assert balances["fee income", "EUR"] == -5_000


def sums(table: Table) -> dict[tuple[str, str], int]:
    """Debit minus credit of every account of a journal, in minor units."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in table.rows:
        debit, credit = (int((row[side] or "0").replace(".", "")) for side in ("debit", "credit"))
        found[row["account"], row["currency"]] += debit - credit
    return found


@pytest.mark.parametrize("party", [SUPPLIER, BUYER, FINANCIER])
def test_every_journal_balances_on_every_day(readmodel: ReadModel, party: str) -> None:
    found = reports.journal(reports.at_block(readmodel), party)
    days: dict[tuple[str, str], int] = defaultdict(int)
    for row in found.rows:
        assert (row["debit"] == "") != (row["credit"] == "")
        debit, credit = (int((row[side] or "0").replace(".", "")) for side in ("debit", "credit"))
        days[row["day"], row["currency"]] += debit - credit
    assert days
    assert set(days.values()) == {0}


def test_the_suppliers_and_the_buyers_books_say_what_it_cost_and_saved(readmodel: ReadModel) -> None:
    past = reports.at_block(readmodel)
    supplier, buyer = sums(reports.journal(past, SUPPLIER)), sums(reports.journal(past, BUYER))
    # 87.50 + 17.50 + 49.32 kept back, two fees of 25.00; 26 250 and 1 000 yen
    assert (supplier["finance cost", "EUR"], supplier["fees paid", "EUR"]) == (15_432, 5_000)
    assert (supplier["finance cost", "JPY"], supplier["fees paid", "JPY"]) == (26_250, 1_000)
    assert (buyer["discount received", "EUR"], supplier["receivables", "EUR"]) == (-4_932, 0)
    # 17 000.00 invoiced; 5 000.00 + 3 000.00 + 2 000.00 settled
    assert (buyer["payables", "EUR"], buyer["invoices", "EUR"]) == (-700_000, 1_700_000)
    lender = sums(reports.journal(past, FINANCIER))
    assert (lender["losses on receivables", "JPY"], lender["receivables", "JPY"]) == (600_000, 2_000_000)


def test_a_disclosure_reconciles_opening_and_closing_amounts(deals: Deals, readmodel: ReadModel) -> None:
    found = reports.disclosure(reports.at_block(readmodel, deals.late), BUYER, PART_PAID)
    euros = {row["item"]: row for row in found.rows if row["currency"] == "EUR"}
    # all three euro invoices approved before the period: 17 000.00 less 5 000.00 paid early
    assert {name: row["amount"] for name, row in euros.items()} == {
        "part of supplier finance arrangements": "7000.00",
        "of these, suppliers already paid": "7000.00",
        "not part of arrangements": "0.00",
        "opening carrying amount": "12000.00",
        "non-cash: approved": "0.00",
        "non-cash: approvals void (disputes, credit notes, withdrawals)": "0.00",
        "non-cash: discounts taken for early payment": "0.00",
        "paid in deposits": "-5000.00",
        "paid outside the ledger": "0.00",
        "closing carrying amount": "7000.00",
    }
    part = euros["part of supplier finance arrangements"]
    # issued on 2026-11-20, due on 2027-01-22: 63 days
    assert (part["days_min"], part["days_max"], part["due_from"], part["due_to"]) == (
        "63",
        "63",
        "2027-01-22",
        "2027-01-22",
    )
    whole = reports.disclosure(reports.at_block(readmodel, deals.late), BUYER, DAY)
    moved = {row["item"]: row["amount"] for row in whole.rows if row["currency"] == "EUR"}
    assert moved["non-cash: approved"] == "17000.00"
    assert (moved["non-cash: discounts taken for early payment"], moved["paid in deposits"]) == ("-49.32", "-9950.68")
    assert moved["closing carrying amount"] == "7000.00"
    assert [row["paragraph"] for row in whole.rows][:2] == ["44H(a)", "44H(a)"]


def test_a_buyers_own_figures_are_read_from_csv_and_json() -> None:
    expected = ("comparable payables", "EUR", "1234.50", "30", "90", "buyer")
    text = "item,currency,amount,days_min,days_max\ncomparable payables,EUR,1234.50,30,90\n"
    json_text = (
        '[{"item": "comparable payables", "currency": "EUR", "amount": "1234.50", "days_min": "30", "days_max": "90"}]'
    )
    for written in (text, "\ufeff" + text, json_text):
        (row,) = reports.read_figures(written)
        assert tuple(row[name] for name in ("item", "currency", "amount", "days_min", "days_max", "source")) == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("item,amount\nx,1.005\n", "figure 1"),
        ("item,currency,amount\nx,EUR,1.005\n", "parts of a minor unit"),
        ("item,price\nx,1\n", "price"),
        ("item,currency\n,EUR\n", "has no item"),
        ("item\nx,too many\n", "figure 1"),
        ("item,days_min\nx,soon\n", "figure 1"),
        ("[1]", "list of objects"),
        ("[{", "not JSON"),
        ('{"item": "x"}', "list of objects"),
        ('[{"item": "x", "amount": 5}]', "amount"),
    ],
)
def test_a_figure_that_is_none_is_named(text: str, fault: str) -> None:
    with pytest.raises(BadRequest, match=fault):
        reports.read_figures(text)


def test_a_spreadsheet_takes_no_cell_for_a_formula() -> None:
    cells = ["=1+1", "+1", "@x", "-2+3", "\tx", "-12.50", "12.50", 'a,"b', "x=1"]
    rows: list[Row] = [{"cell": cell} for cell in cells]
    read = [line[0] for line in csv.reader(io.StringIO(reports.as_csv(("cell",), rows), newline=""))]
    assert read == ["cell", "'=1+1", "'+1", "'@x", "'-2+3", "'\tx", "-12.50", "12.50", 'a,"b', "x=1"]


def test_an_amount_has_the_digits_of_its_currency() -> None:
    assert [decimal(-5, "EUR"), decimal(5, "JPY@B"), decimal(-1_234, "KWD@B"), decimal(0, "EUR")] == [
        "-0.05",
        "5",
        "-1.234",
        "0.00",
    ]


@pytest.mark.parametrize(("total", "days"), [(0, 1), (1, 63), (62, 63), (8_750, 63), (10**15 + 1, 400)])
def test_the_days_of_a_tenor_sum_to_the_discount_exactly(total: int, days: int) -> None:
    tenor = Tenor("2026-11-23", days, total)
    parts = [tenor.earned_minor(day) - tenor.earned_minor(day - 1) for day in range(1, days + 1)]
    assert (sum(parts), max(parts) - min(parts) <= 1, parts) == (total, True, sorted(parts, reverse=True))
    assert sum(amount for _, amount in tenor.earn_until("2030-01-01")) == total
    assert (tenor.close(), tenor.earn_until("2031-01-01"), LOST > LATE) == (0, [], True)


def test_what_is_bought_back_or_unwound_leaves_no_unearned_discount(tmp_path: Path) -> None:
    world = ProjectedWorld()
    found(world, LISTED)
    world.must(FINANCIER, "AcceptSupplier", **acceptance())
    world.must(FINANCIER, "OpenFacility", **facility(recourse="full"))
    delivered(world)
    financed(world, "invoice", 1_000_000)
    financed(world, "second", 200_000)
    world.must(FINANCIER, "IssueDeposit", **deposit("supplier's money", to=SUPPLIER))
    world.open_day(PART_PAID)
    world.must(SUPPLIER, "Repurchase", invoice_id=hexid("invoice"), deposit=DEPOSIT)
    for party in (SUPPLIER, FINANCIER):
        world.must(party, "Unwind", invoice_id=hexid("second"))
    past = reports.at_block(world.read_model(tmp_path / "readmodel.db"))
    lender, supplier = sums(reports.journal(past, FINANCIER)), sums(reports.journal(past, SUPPLIER))
    # bought back with 41 days left: 10 000.00 less 10 000.00 x 5 % x 41 / 360 = 56.94; so 30.56 were earned
    assert lender == {
        ("unearned discount", "EUR"): 0,
        ("discount income", "EUR"): -3_056 + 2_500,  # the fee of what was unwound went back with it
        ("fee income", "EUR"): -5_000,
        ("deposits issued", "EUR"): 3_056 + 2_500 - 1_000_000,
        ("bank", "EUR"): 1_000_000,
        ("receivables", "EUR"): 0,
    }
    assert (supplier["receivables", "EUR"], supplier["finance cost", "EUR"]) == (1_200_000, 3_056 - 2_500)


def test_duplicates_show_all_claims_on_a_fingerprint_and_who_cleared_them(deals: Deals, tmp_path: Path) -> None:
    assert reports.duplicates(reports.at_block(deals.world.read_model(tmp_path / "none.db"))).rows == ()
    world = ProjectedWorld()
    found(world, LISTED)
    delivered(world)
    register(world, "first", 1_000_000)
    alike = {**fingerprints("again"), "amount": fingerprints("first")["amount"]}
    register(world, "again", 1_000_000, fingerprints=alike)
    before = world.block_number
    world.must(BUYER, "ClearDuplicate", invoice_id=hexid("again"), reason_commitment=hex64("rent"))
    readmodel = world.read_model(tmp_path / "readmodel.db")
    columns = ("kind", "claim", "invoice_id", "claim_state", "duplicate_of", "amount", "cleared_on")
    assert shown(reports.duplicates(reports.at_block(readmodel)), *columns) == [
        ("amount", "1", hexid("first"), "registered", "", "10000.00", ""),
        ("amount", "2", hexid("again"), "registered", hexid("first"), "10000.00", DAY),
    ]
    assert [row["cleared_on"] for row in reports.duplicates(reports.at_block(readmodel, before)).rows] == ["", ""]
