"""The read model: the ledger's records as tables, and the named questions that pages and the API ask of them.

It is a fold over the committed writes and nothing else: it may be deleted at any time and comes back the same. This
room only reads; `projector` writes. Answers are plain data: a record is its fields, together with `block_number` and
`transaction_id` of the transaction that wrote it last.
"""

from ledger_node.readmodel.naming import Sought, name_keys
from ledger_node.readmodel.paging import PER_PAGE_MAX, Page, Record
from ledger_node.readmodel.queries import ReadModel
from ledger_node.readmodel.tables import INVOICE_SORTS, SCHEMA_VERSION

__all__ = ["INVOICE_SORTS", "PER_PAGE_MAX", "SCHEMA_VERSION", "Page", "ReadModel", "Record", "Sought", "name_keys"]
