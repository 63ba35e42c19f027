"""The error family of the network rooms. It says what is wrong and what to do; it knows no exit codes."""

from __future__ import annotations


class NetworkError(Exception):
    """Base of everything the network's administration reports.

    Args:
        text: what went wrong, in one sentence.
        remedy: what the reader can do, in one sentence; empty when there is nothing to do.
    """

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


class SetupError(NetworkError):
    """The machine or network.yaml is not as needed: nothing was started."""


class StartError(NetworkError):
    """A component did not become healthy; what this command had started was stopped again.

    Args:
        component: name of the failing component, for example "supplier.peer".
        text: what went wrong, with the component's last log lines.
        remedy: what to do about it.
    """

    def __init__(self, component: str, text: str, remedy: str = "") -> None:
        super().__init__(text, remedy)
        self.component = component
