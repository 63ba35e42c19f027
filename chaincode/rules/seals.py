"""Rules of seals: a root is recorded once, under an id of its own, and never changed."""

from __future__ import annotations

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Seal, bodies
from chaincode.rules.parties import require_new


def seal(existing: Seal | None, sender: str, body: bodies.SealDocuments, day: str) -> Seal:
    """Seal documents.

    Args:
        existing: what stands under the id.

    Raises: Refusal: ID_TAKEN, ALGORITHM_UNKNOWN.
    """
    require_new(existing, body.seal_id)
    if body.algorithm != "SHA-256":
        raise Refusal(RefusalCode.ALGORITHM_UNKNOWN, f"{body.algorithm}: only SHA-256 is known")
    return Seal(seal_id=body.seal_id, submitter=sender, algorithm="SHA-256", root=body.root, size=body.size, day=day)
