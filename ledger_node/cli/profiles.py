"""Profiles: where a node is and the token for it, kept in one file of the user's own, so that nobody types them again.

A token of a profile is sent to the profile's own address and to no other.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from ledger_node.errors import BadRequest, ConfigError

DEFAULT = "default"
FILE_NAME = "profiles.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """A node's address, and the token for it."""

    url: str
    token: str


def place() -> Path:
    """Where profiles are kept, by the XDG base directories."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "ledger-node" / FILE_NAME


def load(name: str) -> Profile | None:
    """A profile; None when there is none of that name. Raises: ConfigError."""
    return _all().get(name)


def save(name: str, profile: Profile) -> None:
    """Keep a profile, readable by the user alone. Raises: ConfigError; OSError of the disk."""
    _write(_all() | {name: profile})


def remove(name: str) -> None:
    """Forget a profile. Raises: BadRequest when there is none; ConfigError; OSError of the disk."""
    kept = _all()
    if name not in kept:
        raise BadRequest(f"there is no profile {name!r}", f"There are: {', '.join(sorted(kept)) or 'none'}.")
    _write({each: profile for each, profile in kept.items() if each != name})


def _all() -> dict[str, Profile]:
    try:
        kept = json.loads(place().read_text(encoding="utf-8"))
        return {name: Profile(**profile) for name, profile in kept.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{place()} holds no profiles: {error}", "Remove it, and: ledger-node login") from error


def _write(profiles: dict[str, Profile]) -> None:
    """The whole file or none of it: it is written beside its place, readable by its owner from the first byte on."""
    place().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=place().parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({each: asdict(profile) for each, profile in profiles.items()}, file, indent=2)
        Path(name).replace(place())
    finally:
        Path(name).unlink(missing_ok=True)
