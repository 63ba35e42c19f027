"""What the holder of a token may do, and for how long unless it is said: what help shows, without a database."""

from __future__ import annotations

from enum import StrEnum

DAYS_DEFAULT = 90


class Role(StrEnum):
    """What the holder of a token may do; every role may read."""

    UPLOADER = "uploader"
    APPROVER = "approver"
    FUNDER = "funder"
    ISSUER = "issuer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


ADMIN = "admin"
"""The one role that no token has: it invites persons with browsers, and says what they may do."""
