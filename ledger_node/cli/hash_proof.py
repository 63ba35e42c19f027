"""Checking a file against the proof that sealing wrote for it: off line, without node, ledger or network."""

from __future__ import annotations

from pathlib import Path

from ledger_node.cli.common import emit
from ledger_node.cli.manifest import read_digest
from ledger_node.errors import BadRequest


def verify_proof(file: Path, digest: str | None, proof_file: Path | None, root: str, as_json: bool) -> None:
    """Check a file, and say what was checked and what was not.

    Raises: VerificationError when something is false, UnreadableError, BadRequest.
    """
    from ledger_node.documents.seals import check_proof, read_proof

    if proof_file is None:
        raise BadRequest("--root says what a proof must lead to, and there is no --proof", "Give --proof PROOF, too.")
    if digest is not None:
        raise BadRequest("a file is checked against a digest or a proof, not both", "Leave one of them out.")
    proof = read_proof(proof_file)
    check_proof(file, proof, read_digest(root).hex() if root else "")
    place = f"block {proof.block_number}, transaction {proof.transaction_id}"
    lines = [
        f"{file}: document {proof.leaf_index} of {proof.tree_size} under the root {proof.root}",
        "checked: the file's digest, its salted commitment, its place under the root",
    ]
    if root:
        lines.append("checked: that root is the one you gave; the word of whoever gave it to you is what it rests on")
    else:
        lines.append(
            f"not checked: that the ledger holds this root ({place}, by the proof's own word). "
            f"Ask a node you trust: ledger-node document seal-status {proof.seal_id}, then give --root"
        )
    result = {
        "file": str(file),
        "verdict": "verified",
        "root_compared": bool(root),
        **proof.model_dump(exclude={"file", "version", "audit_path", "salt"}),
    }
    emit(result, as_json, "\n".join(lines))
