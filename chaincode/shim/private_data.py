"""Private data: values that only the peers of a collection's members hold, and digests of them that all hold.

Blocks carry digests only. A client passes private values in the transient map, never as arguments.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage, GetState, WriteRecord

from chaincode.shim.composite import FIRST_SIMPLE as FIRST
from chaincode.shim.composite import check_simple, partial_range
from chaincode.shim.endorsement import every_peer_of
from chaincode.shim.queries import KeyValue
from chaincode.shim.requests import check_collection, check_key
from chaincode.shim.state import PublicState, each


class PrivateState(PublicState):
    """The verbs of private data; all raise ValueError for an empty collection."""

    async def get_private_data(self, collection: str, key: str) -> bytes | None:
        """The committed value, None when there is none.

        Raises: PeerError, also when the creator may not read the collection, or this peer does not hold the value.
        """
        check_collection(collection)
        check_key(key)
        return await self._request(ChaincodeMessage.GET_STATE, GetState(key=key, collection=collection)) or None

    async def get_multiple_private_data(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of several keys, in their order, asked for together. Raises: PeerError."""
        check_collection(collection)
        return await self._get_multiple(collection, keys)

    async def get_private_data_hash(self, collection: str, key: str) -> bytes | None:
        """SHA-256 of the committed value, which every peer knows; None when there is none. Raises: PeerError."""
        check_collection(collection)
        check_key(key)
        asked = GetState(key=key, collection=collection)
        return await self._request(ChaincodeMessage.GET_PRIVATE_DATA_HASH, asked) or None

    def get_private_data_by_range(
        self, collection: str, start_key: str, end_key: str
    ) -> AsyncGenerator[KeyValue, None]:
        """Simple keys from `start_key` (inclusive) to `end_key` (exclusive); only without writes. Raises: PeerError."""
        check_collection(collection)
        check_simple(start_key, end_key)
        return each(self._range(collection, start_key or FIRST, end_key))

    def get_private_data_by_partial_composite_key(
        self, collection: str, object_type: str, attributes: Sequence[str]
    ) -> AsyncGenerator[KeyValue, None]:
        """Composite keys that begin with these parts and have more; only without writes. Raises: PeerError."""
        check_collection(collection)
        return each(self._range(collection, *partial_range(object_type, attributes)))

    def get_private_data_query_result(self, collection: str, query: str) -> AsyncGenerator[KeyValue, None]:
        """What a query in the state database's own language finds. Raises: RichQueriesMissing, PeerError."""
        check_collection(collection)
        return each(self._rich(collection, query))

    def put_private_data(self, collection: str, key: str, value: bytes) -> None:
        """Set a key when the transaction commits. Raises: ValueError for an empty key or value."""
        check_collection(collection)
        self._put(collection, key, value)

    def del_private_data(self, collection: str, key: str) -> None:
        """Delete a key when the transaction commits; what it was before stays in the members' stores."""
        check_collection(collection)
        self._write(WriteRecord(key=key, collection=collection, type=WriteRecord.DEL_STATE))

    def purge_private_data(self, collection: str, key: str) -> None:
        """Delete a key when the transaction commits, and everything it ever was from the members' stores."""
        check_collection(collection)
        self._write(WriteRecord(key=key, collection=collection, type=WriteRecord.PURGE_PRIVATE_DATA))

    def set_private_data_validation_parameter(self, collection: str, key: str, policy: bytes) -> None:
        """From the commit on, a change of a key needs endorsements as the policy says; empty goes back."""
        check_collection(collection)
        self._put_policy(collection, key, policy)

    async def get_private_data_validation_parameter(self, collection: str, key: str) -> bytes | None:
        """The key's own policy, None when it has none. Raises: PeerError."""
        check_collection(collection)
        return await self._get_policy(collection, key)

    def set_private_key_endorsers(self, collection: str, key: str, msp_ids: Sequence[str]) -> None:
        """As `set_key_endorsers`, for a key of a collection. Raises: ValueError when there is none."""
        check_collection(collection)
        self._put_policy(collection, key, every_peer_of(msp_ids))
