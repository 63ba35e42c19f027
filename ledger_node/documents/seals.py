"""Sealing a folder: one root on the ledger for all its files, and beside each file the proof that it is under it.

1. Every file is hashed and gets a fresh salt; what is to be sealed is written down, with the salts, as one plan.
2. The root over the salted commitments goes to the ledger, under an idempotency key that the plan holds.
3. Once it is applied, each file's proof is written; the plan goes last.
Killed anywhere, the next run takes the plan up: the same root is sent under the same key and has one effect. What has
a proof is not sealed again, but compared with it. Erasing a sealed document is deleting its file and its proof, which
holds the salt. Nothing in the folder is left out without a word: what cannot be sealed is refused by name before
anything is, and a proof whose file is gone is told. This room never sends a file, a digest or a salt anywhere.
Source: RFC 9162 section 2.1.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger_node.errors import BadRequest, VerificationError
from ledger_node.hashing import SALT_BYTES, Hashed, Source, UnreadableError, commitment
from ledger_node.hashing.digest import hash_one
from ledger_node.hashing.merkle import Tree, root_of_path
from ledger_node.ledger.interface import ContractRefused

PROOF_ENDING = ".proof.json"
PLAN_NAME = ".ledger-node-seal.json"
HALF_WRITTEN_ENDINGS = tuple(f"{name}.new{PROOF_ENDING}" for name in (PROOF_ENDING, PLAN_NAME))
"""Of what a kill left before it had its name."""
PROOF_BYTES_MAX = 1 << 16
LEVELS_MAX = 64  # of a tree: more documents than anybody has
BATCH_DOCUMENTS = 4096

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
"""What a proof is printed with: no line break and no control character of a terminal may pretend to be more."""
HashBatch = Callable[[Sequence[Source]], list[Hashed | UnreadableError]]
Submit = Callable[[str, int, str], dict[str, Any]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Proof(_Strict):
    """What shows off line that a file is under a sealed root; `salt` is what makes the commitment say nothing."""

    version: Literal[1] = 1
    algorithm: Literal["SHA-256"] = "SHA-256"
    seal_id: Name
    file: str
    size_bytes: Annotated[int, Field(ge=0)]
    salt: Hex
    commitment: Hex
    leaf_index: Annotated[int, Field(ge=0)]
    tree_size: Annotated[int, Field(ge=1, le=1 << LEVELS_MAX)]
    audit_path: Annotated[list[Hex], Field(max_length=LEVELS_MAX)]
    root: Hex
    transaction_id: Name
    block_number: int


class _Leaf(_Strict):
    file: str
    size_bytes: int
    salt: Hex
    digest: Hex

    def commitment(self) -> bytes:
        """The leaf: 32 bytes."""
        return commitment(bytes.fromhex(self.salt), bytes.fromhex(self.digest))


class _Plan(_Strict):
    version: Literal[1] = 1
    idempotency_key: str
    leaves: Annotated[list[_Leaf], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class SealReport:
    """What a run did: the seals it completed (`{seal_id, root, size, transaction_id, block_number}`), in order, and how
    many files had a proof already, which still fits; `lost` are the proofs whose files are gone."""

    seals: list[dict[str, Any]]
    proved_before: int
    lost: list[str]


def seal_folder(folder: Path, proofs: Path, hash_batch: HashBatch, submit: Submit) -> SealReport:
    """Seal the files of a folder, and those of its folders, that have no proof yet.

    Args:
        folder: whose files are sealed.
        proofs: where proofs go, under the file's own place in `folder` with `.proof.json` added.
        hash_batch: of the hashing room.
        submit: takes root (64 hex characters), number of documents and idempotency key, and answers with the applied
            submission. What it raises is passed on; the plan stays, unless the contract has refused it.

    Raises: VerificationError when a file does not fit its proof, UnreadableError, BadRequest; nothing is sealed then.
    """
    proofs.mkdir(parents=True, exist_ok=True)
    folder, proofs = folder.resolve(), proofs.resolve()
    with _alone(proofs):
        plan_file = proofs / PLAN_NAME
        seals = [_complete(plan_file, proofs, submit)] if plan_file.exists() else []
        proved, fresh, lost = _sorted_out(folder, proofs)
        _require_proved(folder, proofs, proved, hash_batch)
        if fresh:
            _write(plan_file, _planned(folder, fresh, hash_batch))
            os.sync()
            seals.append(_complete(plan_file, proofs, submit))
        return SealReport(seals, len(proved), lost)


def read_proof(path: Path) -> Proof:
    """Read a proof.

    Raises: BadRequest for what is none.
    """
    with path.open("rb") as file:
        content = file.read(PROOF_BYTES_MAX + 1)
    if len(content) > PROOF_BYTES_MAX:
        raise BadRequest(f"{path} is no proof: it is longer than {PROOF_BYTES_MAX} bytes", "Name a file of `seal`.")
    try:
        return Proof.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise BadRequest(f"{path} is no proof: {place}: {first['msg']}", "Name a file that `seal` wrote.") from error


def check_proof(file: Path, proof: Proof, root: str = "") -> None:
    """Check a file against its proof, off line.

    Args:
        file: the document.
        proof: as `read_proof` gave it.
        root: what the ledger holds, 64 hex characters, when it is known; empty compares with the proof's own.

    Raises: VerificationError naming what is not as it was: the file, its size, the index, the path or the root;
        UnreadableError.
    """
    hashed = hash_one(file)
    _check(file, hashed.digest, proof, root)
    if hashed.size_bytes != proof.size_bytes:  # no hash covers what the proof says here
        raise VerificationError(
            f"the size is false: {file} has {hashed.size_bytes} bytes, the proof says {proof.size_bytes}",
            "The proof was changed; look for another copy of it.",
        )


def _check(file: Path, digest: bytes, proof: Proof, root: str) -> None:
    leaf = commitment(bytes.fromhex(proof.salt), digest)
    if leaf.hex() != proof.commitment:
        raise VerificationError(
            f"the file {file} is not the one that was sealed: its commitment is {leaf.hex()}, not {proof.commitment}",
            "Compare with another copy of the file and of its proof (a changed salt has the same effect).",
        )
    path = [bytes.fromhex(node) for node in proof.audit_path]
    reached = root_of_path(leaf, proof.leaf_index, proof.tree_size, path)
    if reached is None:
        raise VerificationError(
            f"the index is false: no tree of {proof.tree_size} documents has a path of {len(path)} steps "
            f"from document {proof.leaf_index}",
            "The proof was changed; look for another copy of it.",
        )
    if reached.hex() != proof.root and reached.hex() != root:
        raise VerificationError(
            f"the path is false: from document {proof.leaf_index} it leads to {reached.hex()}, not to {proof.root}",
            "Path, index or root of the proof was changed; look for another copy of it.",
        )
    if reached.hex() != proof.root or (root and reached.hex() != root):
        raise VerificationError(
            f"the root is false: the file is under {reached.hex()}, the proof names {proof.root}"
            + (f", the ledger holds {root}" if root else ""),
            f"Ask a node for the seal {proof.seal_id}; the proof may belong to another one.",
        )


def _sorted_out(folder: Path, proofs: Path) -> tuple[list[str], list[str], list[str]]:
    """The places of files with a proof and without, and the proofs whose files are gone.

    Raises: BadRequest for an entry that cannot be sealed.
    """
    proved: list[str] = []
    fresh: list[str] = []
    lost: list[str] = []
    for path in _entries(folder):
        if path == proofs / PLAN_NAME or path.name.endswith(HALF_WRITTEN_ENDINGS):
            continue
        if path.name == PLAN_NAME:
            raise BadRequest(f"the sealing of {path.parent} was not ended", "Seal that folder first.")
        if path.is_relative_to(proofs) and path.name.endswith(PROOF_ENDING):
            _require_proof(path)
            if not (folder / path.relative_to(proofs).as_posix().removesuffix(PROOF_ENDING)).exists():
                lost.append(str(path))
            continue
        place = path.relative_to(folder).as_posix()
        (proved if _proof_file(proofs, place).exists() else fresh).append(place)
    return proved, fresh, lost


def _require_proof(path: Path) -> None:
    try:
        read_proof(path)
    except BadRequest as error:
        text = f"{path} is called like a proof and is none, so it cannot have one beside it"
        raise BadRequest(text, "Rename it, or let the proofs go elsewhere, then seal.") from error


def _entries(folder: Path) -> Iterator[Path]:
    """Every file of a folder and of its folders, in order. Raises: BadRequest for what is none, or cannot be read."""
    for here, folders, names in os.walk(folder, onerror=_refuse_unreadable):
        folders.sort()
        for name in sorted(folders + names):
            path = Path(here) / name
            try:
                name.encode()
            except UnicodeEncodeError:
                raise BadRequest(f"the name {str(path)!a} is not UTF-8", "Rename it, then seal.") from None
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                what = "a link" if path.is_symlink() else "no regular file"
                raise BadRequest(f"{path} is {what}", "Take it out of the folder, then seal.")
            if name in names:
                yield path


def _refuse_unreadable(error: OSError) -> NoReturn:
    raise BadRequest(f"the folder {error.filename} cannot be read: {error.strerror}", "Make it readable, then seal.")


def _require_proved(folder: Path, proofs: Path, places: Sequence[str], hash_batch: HashBatch) -> None:
    for place, hashed in _hashed(folder, places, hash_batch):
        proof = read_proof(_proof_file(proofs, place))
        try:
            _check(folder / place, hashed.digest, proof, "")
        except VerificationError:
            check_proof(folder / place, proof)  # read again, by the standard library, before anybody hears of it


def _hashed(folder: Path, places: Sequence[str], hash_batch: HashBatch) -> Iterator[tuple[str, Hashed]]:
    for start in range(0, len(places), BATCH_DOCUMENTS):
        some = places[start : start + BATCH_DOCUMENTS]
        for place, answer in zip(some, hash_batch([folder / place for place in some]), strict=True):
            if isinstance(answer, UnreadableError):
                raise answer
            yield place, answer


def _planned(folder: Path, places: Sequence[str], hash_batch: HashBatch) -> _Plan:
    leaves = [
        _Leaf(
            file=place,
            size_bytes=hashed.size_bytes,
            salt=secrets.token_hex(SALT_BYTES),
            digest=hashed.digest.hex(),
        )
        for place, hashed in _hashed(folder, places, hash_batch)
    ]
    return _Plan(idempotency_key=secrets.token_hex(16), leaves=leaves)


def _complete(plan_file: Path, proofs: Path, submit: Submit) -> dict[str, Any]:
    """Have the plan's root recorded, write its proofs, and drop it."""
    try:
        plan = _Plan.model_validate_json(plan_file.read_bytes())
    except ValidationError as error:
        raise BadRequest(
            f"{plan_file} is no plan of a seal: {error}", "Restore it, or delete it to begin anew."
        ) from None
    leaves = [leaf.commitment() for leaf in plan.leaves]
    tree = Tree(leaves)
    try:
        applied = submit(tree.root.hex(), len(leaves), plan.idempotency_key)
    except ContractRefused:
        plan_file.unlink()
        raise
    seal = {
        "seal_id": applied["record_id"],
        "root": tree.root.hex(),
        "transaction_id": applied["transaction_id"],
        "block_number": applied["block_number"],
    }
    for index, leaf in enumerate(plan.leaves):
        proof = Proof(
            **seal,
            file=leaf.file,
            size_bytes=leaf.size_bytes,
            salt=leaf.salt,
            commitment=leaves[index].hex(),
            leaf_index=index,
            tree_size=len(leaves),
            audit_path=[node.hex() for node in tree.inclusion_proof(index)],
        )
        _write(_proof_file(proofs, leaf.file), proof)
    os.sync()  # once for all proofs: only then may the plan go
    plan_file.unlink()
    return {**seal, "size": len(leaves)}


def _proof_file(proofs: Path, place: str) -> Path:
    return proofs / (place + PROOF_ENDING)


def _write(path: Path, content: _Strict) -> None:
    """Write a file in one step, readable by the owner only, since it holds salts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new{PROOF_ENDING}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content.model_dump_json(indent=1).encode() + b"\n")
    fresh.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BadRequest(f"another process is sealing into {folder}", "Wait until it has ended.") from None
    finally:
        os.close(handle)
