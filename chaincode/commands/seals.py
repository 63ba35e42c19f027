"""The command that seals any number of documents in one write."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.records import Seal, bodies, keys
from chaincode.rules import seals


async def seal_documents(context: Context, body: bodies.SealDocuments) -> Result:
    """Seal documents."""
    key = keys.seal(body.seal_id)
    context.write(key, seals.seal(await context.read(Seal, key), context.sender, body, context.day))
    return {"seal_id": body.seal_id}
