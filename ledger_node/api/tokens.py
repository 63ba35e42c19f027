"""Whose token this is: what its holder may know of it. Tokens are made on the node's own machine only."""

from __future__ import annotations

import dataclasses

from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.answers import reads
from ledger_node.api.auth import current_token
from ledger_node.api.context import current_node
from ledger_node.api.wire import Plain
from ledger_node.operations.fields import Out

routes = APIBlueprint("tokens", __name__, tag="Tokens")


class TokenOut(Out):
    """The token of this request; times are RFC 3339 in UTC."""

    id: str
    name: str
    role: str
    principal: str = Field(description="Who acts with it; idempotency keys are its own.")
    created_at: str
    expires_at: str
    last_used_at: str = Field(description="Before this request, to ten minutes; empty for never.")
    msp_id: str = Field(description="Whose node this is.")


@reads(routes, "/v1/tokens/current", TokenOut)
def show_token() -> Plain:
    """The token of this request: its role, whose it is, when it ends."""
    return {**dataclasses.asdict(current_token()), "msp_id": current_node().msp_id}
