"""What the rules hand around: nobody changes it after it was made, and its names are what pages and clients see."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from enum import StrEnum

import pytest

import chaincode.rules
from chaincode import money
from chaincode.rules.verdicts import Reason, ReleaseClass, Verdict

MODULES = [
    money,
    *(importlib.import_module(f"chaincode.rules.{one.name}") for one in pkgutil.iter_modules(chaincode.rules.__path__)),
]
VALUES = sorted(
    {
        value
        for module in MODULES
        for value in vars(module).values()
        if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__
    },
    key=lambda value: value.__qualname__,
)


@pytest.mark.parametrize("value", VALUES)
def test_a_value_of_the_rules_is_never_changed_and_has_no_fields_but_its_own(value: type) -> None:
    one: object = object.__new__(value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, dataclasses.fields(value)[0].name, 1)
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize("names", [Reason, ReleaseClass, Verdict])
def test_a_verdict_is_written_as_it_is_named(names: type[StrEnum]) -> None:
    assert [one.value for one in names] == list(names.__members__)
