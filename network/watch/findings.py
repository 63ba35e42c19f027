"""Evidence of every intervention: what was seen, the orderer's metrics, the stacks of its goroutines, its last lines.

One folder for each, complete or absent, below `watch/findings`; the oldest go when there are too many.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FINDINGS_MAX = 200
EVIDENCE_BYTES_MAX = 5_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One intervention.

    Args:
        at: RFC 3339 in UTC.
        organisation: whose supervisor it was.
        component: what was started or restarted, for example "supplier.orderer".
        reason: "died", "behind", "stands", "view" or "silent".
        text: the same for people.
        folder: where its evidence lies.
    """

    at: str
    organisation: str
    component: str
    reason: str
    text: str
    folder: Path


def record(data: Path, component: str, reason: str, text: str, evidence: Mapping[str, str]) -> Finding:
    """Keep one finding.

    Args:
        data: the network's folder.
        component: what was intervened with.
        reason: one of those of `Finding`.
        text: what was seen and done, in a sentence.
        evidence: contents by file name; each is cut at `EVIDENCE_BYTES_MAX`, from its end.
    """
    now = dt.datetime.now(dt.UTC)
    home = _home(data)
    folder = home / f"{now.strftime('%Y%m%dT%H%M%S.%fZ')}-{component}-{reason}"
    fresh = home / f".{folder.name}"
    fresh.mkdir(parents=True)
    organisation = component.rsplit(".", 1)[0]
    at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"at": at, "organisation": organisation, "component": component, "reason": reason, "text": text}
    for name, words in evidence.items():
        (fresh / name).write_bytes(words.encode("utf-8", "replace")[-EVIDENCE_BYTES_MAX:])
    (fresh / "finding.json").write_text(json.dumps(content, indent=2), "utf-8")
    fresh.rename(folder)
    for old in sorted(home.glob("[0-9]*"))[:-FINDINGS_MAX]:
        shutil.rmtree(old, ignore_errors=True)
    return Finding(at, organisation, component, reason, text, folder)


def read(data: Path) -> list[Finding]:
    """All findings, the oldest first."""
    folders = sorted(_home(data).glob("[0-9]*"))
    return [Finding(**json.loads((each / "finding.json").read_text("utf-8")), folder=each) for each in folders]


def _home(data: Path) -> Path:
    return data / "watch" / "findings"
