"""What a deposit's issuer does with its bank's files: credits found in statements, orders written for redemptions.

Pure: files in, rows or files out. Nothing here sends anything or asks a ledger.
"""

from ledger_node.payments.orders import PARTS, Account, Order, order_file
from ledger_node.payments.reconciliation import Row, Standing, follow, reconcile

__all__ = ["PARTS", "Account", "Order", "Row", "Standing", "follow", "order_file", "reconcile"]
