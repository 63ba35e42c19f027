"""What a contract answers: status, message and payload, as Fabric puts them into the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OK = 200
ERROR_THRESHOLD = 400
"""From this status on nothing is written and no peer endorses."""
ERROR = 500
STATUS_END = 600


@dataclass(frozen=True, slots=True)
class Response:
    """An answer.

    Args:
        status: 200 to 599, as in HTTP; from 400 on nothing is written or endorsed. A contract that is called may have
            answered with any other number; to answer with one is an error.
        message: the reason; the only part of a refused answer that reaches the client.
        payload: the result.
    """

    status: int = OK
    message: str = ""
    payload: bytes = b""


def success(payload: bytes = b"") -> Response:
    """The contract did what it was asked."""
    return Response(OK, "", payload)


def error(message: str) -> Response:
    """The contract refuses: nothing is written."""
    return Response(ERROR, message)


def as_response(answer: Any) -> Response:
    """What a contract returned, as a Response.

    Raises:
        TypeError: it is neither a Response nor bytes.
        ValueError: its status is none.
    """
    if isinstance(answer, bytes):
        return Response(OK, "", answer)
    if isinstance(answer, Response):
        if not OK <= answer.status < STATUS_END:
            raise ValueError(f"{answer.status} is no status: 200 to 399 is an answer, 400 to 599 a refusal")
        return answer
    raise TypeError(f"a contract answers with bytes or a Response, this one with {type(answer).__name__}")
