"""The read model keeps how many invoices there are of each kind; it is what counting them one by one gives."""

from __future__ import annotations

from contextlib import closing
from itertools import combinations
from pathlib import Path

from deals import traded

from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.readmodel import SCHEMA_VERSION, ReadModel
from ledger_node.readmodel.fold import Fold
from ledger_node.readmodel.tables import INVOICE_FILTERS, dump


def test_totals_of_invoices_are_right_for_every_filter_whatever_the_blocks_were_gathered_to(tmp_path: Path) -> None:
    blocks, dumps = traded().world.blocks, []
    for gathered in (1, 3, len(blocks)):
        with closing(Database(f"sqlite:///{tmp_path / f'{gathered}.db'}")) as database:
            database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
            for start in range(0, len(blocks), gathered):
                fold = Fold()
                for block in blocks[start : start + gathered]:
                    fold.add(block)
                with database.write() as session:
                    fold.write(session)
                if gathered == 1:
                    totals_are_right(ReadModel(database))
            with database.read() as session:
                dumps.append(dump(session))
    assert dumps[0] == dumps[1] == dumps[2]
    assert dumps[0]["invoice_count"]


def totals_are_right(model: ReadModel) -> None:
    """By all invoices, and by what each of them could be narrowed down with."""
    invoices = model.invoices().items
    assert model.invoices().total == len(invoices)
    for count in range(1, len(INVOICE_FILTERS) + 1):
        for names in combinations(INVOICE_FILTERS, count):
            for given in {tuple(each[name] for name in names) for each in invoices}:
                asked = dict(zip(names, given, strict=True))
                fitting = [each for each in invoices if tuple(each[name] for name in names) == given]
                assert model.invoices(**asked).total == len(fitting), asked
    assert model.invoices(status="no such status").total == 0
