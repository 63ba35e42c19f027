"""The public rules of invoices: EN 16931 as CEN publishes it, and national packs, run by Saxon in a process of its own.

This room says which rules an invoice breaks. What follows from that, at registration and for a verifier, is for others.
It writes nothing but the folder of packs, when it is asked to fetch them, and it needs the extra `rules`: without that
it answers that the rules could not be checked.
"""

from ledger_node.rules.checker import Bounds, Checker, Slow
from ledger_node.rules.packs import MODEL, Pack, PackError, default_folder, find_packs
from ledger_node.rules.verdict import Checked, Finding, Severity, Verdict

__all__ = [
    "MODEL",
    "Bounds",
    "Checked",
    "Checker",
    "Finding",
    "Pack",
    "PackError",
    "Severity",
    "Slow",
    "Verdict",
    "default_folder",
    "find_packs",
]
