"""Reads the details that gRPC errors carry in the trailer `grpc-status-details-bin`.

They come as a google.rpc.Status. Its Python messages live in a package that we would need for these two messages
only, so their descriptors are written down here. Source: google/rpc/status.proto, google/protobuf/any.proto.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TRAILER = "grpc-status-details-bin"
FIELD = descriptor_pb2.FieldDescriptorProto


def _status_class() -> Any:
    """Build Status{code, message, details[]} in a pool of its own, so that it never collides with the real one."""
    package = descriptor_pb2.FileDescriptorProto(name="status_details.proto", package="status_details", syntax="proto3")
    detail = package.message_type.add(name="Detail")
    detail.field.add(name="type_url", number=1, type=FIELD.TYPE_STRING, label=FIELD.LABEL_OPTIONAL)
    detail.field.add(name="value", number=2, type=FIELD.TYPE_BYTES, label=FIELD.LABEL_OPTIONAL)
    status = package.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=FIELD.TYPE_INT32, label=FIELD.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=FIELD.TYPE_STRING, label=FIELD.LABEL_OPTIONAL)
    status.field.add(
        name="details",
        number=3,
        type=FIELD.TYPE_MESSAGE,
        label=FIELD.LABEL_REPEATED,
        type_name=".status_details.Detail",
    )
    pool: Any = descriptor_pool.DescriptorPool()
    pool.Add(package)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("status_details.Status"))


Status = _status_class()


def status_details(error: Any, message_name: str) -> list[bytes]:
    """The serialized details of one type.

    Args:
        error: a grpc.aio.AioRpcError.
        message_name: the full name of the messages wanted, such as "gateway.ErrorDetail".

    Returns:
        One serialized message for each detail of that type; empty when the error carries none.
    """
    found: list[bytes] = []
    for key, value in error.trailing_metadata() or ():
        if key == TRAILER:
            details = Status.FromString(value).details
            found.extend(detail.value for detail in details if detail.type_url.endswith("/" + message_name))
    return found
