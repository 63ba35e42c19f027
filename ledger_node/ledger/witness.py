"""What a Fabric channel's members have signed, gathered through the organisation's own peer."""

from __future__ import annotations

import hashlib
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from ledger_node.ledger.interface import LedgerError
from network import gateway, witnesses
from network.errors import NetworkError
from network.witnesses import SealedBlock, Trust, Witnessed

T = TypeVar("T")
_REMEDY = "Try again in a moment; look at: ledger-node network status"


class FabricWitness:
    """Made by `FabricLedger.witness`.

    Args:
        background: runs what is asynchronous.
        network: the channel at the own peer.
        identity: who asks and signs.
        sign: its signer, of digests.
        chaincode: the contract's name on the channel.
    """

    def __init__(
        self,
        background: gateway.Background,
        network: gateway.Network,
        identity: gateway.Identity,
        sign: gateway.Sign,
        chaincode: str,
    ) -> None:
        self._background = background
        self._network = network
        self._identity = identity
        self._sign = sign
        self.chaincode = chaincode

    def trust(self) -> Trust:
        """Whom to believe, by the own peer's word. Raises: LedgerError."""
        return self._run(witnesses.trust(self._network, self._identity.msp_id, self.chaincode))

    def gather(self, transactions: Mapping[str, int]) -> tuple[list[Witnessed], list[SealedBlock]]:
        """Transactions, their blocks, and the peers' word on them.

        Raises: LedgerError when too few organisations answer, or the own peer does not have a block.
        """
        return self._run(witnesses.gather(self._network, self._identity, self._sign, transactions))

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        """Sign as the own identity: its certificate (PEM), and the ECDSA signature (DER) over the message's SHA-256."""
        return self._identity.certificate, self._sign(hashlib.sha256(message).digest())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._background.run(work)
        except NetworkError as error:
            raise LedgerError(error.text, remedy=error.remedy) from error
        except gateway.GatewayError as error:
            raise LedgerError(
                str(error), remedy="Try again in a moment; look at: ledger-node network status"
            ) from error
