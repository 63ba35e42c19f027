"""The error family of the network rooms. It says what is wrong and what to do; it knows no exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
    """A component did not become healthy.

    Args:
        component: name of the failing component, for example "supplier.peer".
        text: what went wrong, with the component's last log lines.
        remedy: what to do about it.
    """

    def __init__(self, component: str, text: str, remedy: str = "") -> None:
        super().__init__(text, remedy)
        self.component = component


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as it should be after `up`: a component, or the contract; what went wrong; what to do."""

    component: str
    text: str
    remedy: str = ""


class UpError(StartError):
    """Some components are not up; all others are, and stay so.

    Args:
        failures: at least one, in the order of the components.
        good: how many components are up.
    """

    def __init__(self, failures: Sequence[Failure], good: int) -> None:
        self.failures = tuple(failures)
        first = self.failures[0]
        if len(failures) == 1:
            super().__init__(first.component, f"{first.text}\n{good} other components are up and stay up", first.remedy)
            return
        listed = (f"- {each.text}" + (f"\n  {each.remedy}" if each.remedy else "") for each in failures)
        text = "\n".join((f"{len(failures)} things are wrong; {good} components are up and stay up:", *listed))
        super().__init__(first.component, text, "Mend what is named, then run the command again.")
