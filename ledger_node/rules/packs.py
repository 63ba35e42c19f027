"""Packs of rules: a folder each, with its stylesheets and a `pack.toml` that says what it is and whom it is for.

    name = "xrechnung"
    version = "2.6.0"
    model = "EN 16931-1:2017"
    applies = ['urn:xeinkauf\\.de:kosit:(extension:)?xrechnung_3']

    [stylesheets]
    ubl = "XRechnung-UBL-validation.xsl"
    cii = "XRechnung-CII-validation.xsl"

    [sha256]
    ubl = "..."
    cii = "..."

A stylesheet is Schematron compiled to XSLT, as CEN, KoSIT, OpenPeppol and FNFE publish it. One whose digest is not that
of its `pack.toml` is not run: a verdict names the version, so it must be that version. The pack `en16931` is the core
and runs for every invoice; others for the specification identifiers (BT-24) that their patterns match.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger_node.errors import ConfigError
from ledger_node.faults import faults
from network.faults import described_in_file, not_toml

CORE = "en16931"
MODEL = "EN 16931-1:2017"
"""The edition that the public rules are for; that of 2026 is adopted and has none yet."""
PACK_FILE = "pack.toml"
_MEND = "Mend it, or fetch the pack anew: ledger-node rules fetch"


class PackError(ConfigError):
    """A pack is not what it says it is."""


class Described(BaseModel):
    """The content of a `pack.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,40}$")
    version: str = Field(pattern=r"^[A-Za-z0-9._+-]{1,40}$")
    model: str = Field(pattern=r"^[ -~]{1,60}$")
    applies: tuple[str, ...] = ()
    stylesheets: dict[str, str]
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Pack:
    """One set of rules; `stylesheets` are paths by syntax, "ubl" or "cii"."""

    name: str
    version: str
    model: str
    applies: tuple[re.Pattern[str], ...]
    stylesheets: dict[str, Path]

    @property
    def label(self) -> str:
        """Name and version, as verdicts have them."""
        return f"{self.name} {self.version}"

    def is_for(self, syntax: str, profile: str) -> bool:
        """Whether its rules are for such an invoice.

        Args:
            syntax: "ubl" or "cii".
            profile: the specification identifier (BT-24).
        """
        return syntax in self.stylesheets and (
            self.name == CORE or any(each.search(profile) is not None for each in self.applies)
        )


def default_folder() -> Path:
    """Where packs are fetched to and looked for: `$XDG_CACHE_HOME/ledger-node/rules`, else below `~/.cache`."""
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "ledger-node" / "rules"
    except RuntimeError:  # an account without a home, in a container say: it has no packs there
        return Path("/nonexistent/ledger-node/rules")


def find_packs(folder: Path) -> list[Pack]:
    """All packs of a folder, the core first; none where there is no such folder.

    Raises: PackError naming the pack and its fault; two versions of one pack are a fault.
    """
    if not folder.is_dir():
        return []
    packs = [read_pack(path.parent) for path in sorted(folder.glob(f"*/{PACK_FILE}"))]
    names = [pack.name for pack in packs]
    for name in names:
        if names.count(name) > 1:
            raise PackError(f"{folder} holds the pack {name} {names.count(name)} times", "Leave one of them there.")
    return sorted(packs, key=lambda pack: (pack.name != CORE, pack.name))


def read_pack(folder: Path) -> Pack:
    """The pack of one folder, its stylesheets compared with their digests.

    Raises: PackError.
    """
    path = folder / PACK_FILE
    try:
        described = Described.model_validate(tomllib.loads(path.read_text("utf-8")))
        applies = tuple(re.compile(each) for each in described.applies)
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error.strerror}", "Look at its permissions.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"{path} {not_toml(error)}", _MEND) from error
    except ValidationError as error:
        raise PackError(f"{path}: {described_in_file(faults(error))}", _MEND) from error
    except re.error as error:
        raise PackError(f"{path}: applies: {error.pattern!r} is no regular expression", _MEND) from error
    return Pack(
        described.name,
        described.version,
        described.model,
        applies,
        {syntax: _checked(folder, described, syntax) for syntax in described.stylesheets},
    )


def _checked(folder: Path, described: Described, syntax: str) -> Path:
    path = folder / described.stylesheets[syntax]
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error}", "Fetch the pack anew.") from error
    if syntax not in ("ubl", "cii") or digest != described.sha256.get(syntax):
        raise PackError(
            f"{path} is not what {PACK_FILE} says: SHA-256 {digest} for {syntax!r}",
            "Fetch the pack anew: ledger-node rules fetch",
        )
    return path
