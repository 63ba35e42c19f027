"""Reports: what accountants, credit officers and fraud examiners ask of the ledger, at any past block.

Each report is a pure function from records, as they stood at a block, to a table; `past` reads them from the history of
the read model. Amounts are integers of minor units until a cell is written as a decimal string; nothing is rounded but
by the contract's own formula and, where a sum is spread over days, by largest remainders. Must never write anything.
"""

from ledger_node.reports.ageing import ageing
from ledger_node.reports.disclosure import disclosure, read_figures
from ledger_node.reports.duplicates import duplicates
from ledger_node.reports.exposure import exposure
from ledger_node.reports.journal import journal
from ledger_node.reports.maturities import maturities
from ledger_node.reports.month_end import archive, days_of
from ledger_node.reports.past import Past, at_block, is_over
from ledger_node.reports.payments import early_payments
from ledger_node.reports.statement import statement
from ledger_node.reports.tables import Table, as_csv
from ledger_node.reports.totals import totals

__all__ = [
    "Past",
    "Table",
    "ageing",
    "archive",
    "as_csv",
    "at_block",
    "days_of",
    "disclosure",
    "duplicates",
    "early_payments",
    "exposure",
    "is_over",
    "journal",
    "maturities",
    "read_figures",
    "statement",
    "totals",
]
