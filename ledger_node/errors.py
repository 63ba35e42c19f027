"""The error families of the node. Each error knows the exit code that a command line ends with."""

from __future__ import annotations


class NodeError(Exception):
    """Base of everything the node reports to people. `remedy` says what to do about it.

    Args:
        text: what went wrong, in one sentence.
        remedy: what the reader can do, in one sentence; empty when there is nothing to do.
    """

    exit_code = 1

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


class ConfigError(NodeError):
    """The node, or the network, cannot start as it is configured."""

    exit_code = 2


class BadRequest(NodeError):
    """The caller's input is not what it should be."""

    exit_code = 2


class NotFound(NodeError):
    """What the caller asked for does not exist, or is not for the caller to see."""

    exit_code = 3


class VerificationError(NodeError):
    """Something was checked and found false; never retried, a person looks."""

    exit_code = 6


class ProjectionError(NodeError):
    """A block is missing or a record cannot be read; the projector stops."""
