"""Runs tests with a changed module: MODULE FILE TEST..., the module's source on standard input.

The exit code is 0 when all tests pass.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest


class Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module, and gives it this source."""

    def __init__(self, module: str, path: str, source: str) -> None:
        self._module, self._path, self._source = module, path, source

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's spec, None for every other one."""
        if fullname != self._module:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=self._path)

    def get_source(self, fullname: str) -> str:
        """The changed source."""
        return self._source

    def get_code(self, fullname: str) -> CodeType:
        """The changed source, compiled."""
        return self.source_to_code(self._source, self._path)


def main() -> int:
    """Run the tests, and stop at the first that fails."""
    module, path, *tests = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.meta_path.insert(0, Changed(module, path, sys.stdin.read()))
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--timeout", "0", *tests]))


if __name__ == "__main__":
    sys.exit(main())
