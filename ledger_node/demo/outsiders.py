"""Evidence of the trade for somebody outside: written while the network runs, checked when it is gone.

The bundle is the supplier's; whom to believe is told by the buyer's peer, and the supplier's post-quantum key comes
from the supplier's own trust file.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ledger_node.demo.stage import Stage
from ledger_node.demo.trade import Trade
from ledger_node.evidence.trust import with_keys
from ledger_node.verify.checking import verify

FOLDER, BUNDLE, TRUST = "evidence", "invoice.bundle.json", "trust.json"


def write(stage: Stage, trade: Trade) -> list[Path]:
    """Write the trade's papers, its bundle and the trust file; nothing on a ledger that nobody vouches for.

    Returns: the papers' files.
    """
    if stage.ledger != "fabric":
        return []
    folder = stage.directory / FOLDER
    folder.mkdir()
    trusts = {name: stage.client(name, "auditor").fetch("/v1/channel/trust") for name in ("buyer", "supplier")}
    (folder / TRUST).write_bytes(with_keys(trusts["buyer"], [trusts["supplier"]]))
    asked = f"/v1/invoices/{trade.invoice_id}/certificate"
    (folder / BUNDLE).write_bytes(stage.client("supplier", "auditor").fetch(asked, {"blocks": "all"}))
    papers = [folder / name for name in trade.papers.names]
    for path in papers:
        path.write_bytes(getattr(trade.papers, path.name))
    return papers


def checked(directory: Path, papers: list[Path]) -> dict[str, Any]:
    """What `ledger-node verify` finds, and how to ask it again; `verdict` is empty where nothing was written."""
    if not papers:
        return {"verdict": "", "steps": [], "command": ""}
    bundle, trust = directory / FOLDER / BUNDLE, directory / FOLDER / TRUST
    report = verify(papers, bundle, trust)
    command = f"ledger-node verify {' '.join(map(str, papers))} --bundle {bundle} --trust {trust}"
    return {"verdict": report.verdict, "steps": [asdict(step) for step in report.steps], "command": command}
