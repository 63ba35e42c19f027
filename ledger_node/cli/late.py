"""Settings of libraries that few commands use: made when one is imported, by whoever imports it.

Loading structlog and stamina takes longer than most commands do. Were they set up by the commands that are thought to
use them, one that was forgotten would log the variables of every frame.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


def when_imported(name: str, then: Callable[[], None]) -> None:
    """Call a function as soon as a module has been loaded, and at once if it is there.

    Args:
        name: of the module, with its package's.
        then: what it has to do; it may import the module.
    """
    if name in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, _Announcing(name, then))


class _Announcing:
    """Finds one module as all others do, once, and says when its code has run."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_say(module: ModuleType) -> None:
                run(module)
                self._then()

            spec.loader.exec_module = run_and_say  # type: ignore[method-assign]
        return spec
