"""Tests under mutants: pytest imports and collects once, and each mutant gets a process of its own that begins there.

Where a mutant changes what a function does, the process is a fork in which every holder of the function has the changed
code. Where it changes what an import does, it is a new one (`python mutant_run.py`, a `Fresh` as JSON on standard
input) that imports the changed module in the place of the real one. Either stops at the first test that fails. A test
gets some seconds of CPU and many times what it takes otherwise; the system ends the process that needs more, which has
to happen twice, for a machine may stand still once.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib.abc
import importlib.machinery
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import coverage
import pytest
from hypothesis import HealthCheck, Phase, settings
from mutants import Mutant, mutants, mutated

IMPORT = "the import fails"
TIME = "the time bound"
SECONDS_MIN = 2
SECONDS_FACTOR = 20
SECONDS_IMPORT_MAX = 100
ARGUMENTS = ("-q", "-s", "-p", "no:cacheprovider", "--disable-warnings")

settings.register_profile(
    "mutants",
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Tests:
    """A pytest plugin: in the place of pytest's own loop a function gets what is collected, and runs what it wants."""

    def __init__(self, use: Callable[[Tests], None]) -> None:
        self._use = use
        self._reports: list[pytest.TestReport] = []
        self.items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """All tests are collected."""
        if session.testsfailed:
            raise session.Interrupted("a test file cannot be imported")
        self.items = {item.nodeid: item for item in session.items}
        self._use(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Part of a test is over."""
        self._reports.append(report)

    def run(self, names: Sequence[str], seconds: Mapping[str, float]) -> Iterator[tuple[str, bool, float]]:
        """Run tests, one when asked for the next; gives name, whether it passed, and the seconds it took.

        Args:
            names: what to run, in this order.
            seconds: what each takes otherwise; one that is not there is not bounded.
        """
        for name, following in zip(names, [*names[1:], ""], strict=True):
            bound = SECONDS_MIN + SECONDS_FACTOR * seconds[name] if name in seconds else 0
            signal.setitimer(signal.ITIMER_PROF, bound)
            self._reports.clear()
            item = self.items[name]
            item.ihook.pytest_runtest_protocol(item=item, nextitem=self.items.get(following))
            passed = not any(report.failed for report in self._reports)
            yield name, passed, sum(report.duration for report in self._reports)

    def first_failure(self, names: Sequence[str], seconds: Mapping[str, float]) -> str:
        """Run tests until one fails; its name, or nothing when all pass."""
        return next((name for name, passed, _ in self.run(names, seconds) if not passed), "")


def collect(files: Sequence[str], use: Callable[[Tests], None]) -> int:
    """Let pytest import and collect test files, or single tests, and hand over what it has found.

    Returns: pytest's exit code.
    """
    settings.load_profile("mutants")
    with contextlib.redirect_stdout(sys.stderr):
        return int(pytest.main([*ARGUMENTS, *files], plugins=[Tests(use)]))


@dataclass(frozen=True)
class Measured:
    """Tests on the code as it is.

    `seconds` holds all that pass; `failing` all others; `reached` the tests that reach a line, the numbers of their
    places in `seconds`, by "file:line".
    """

    seconds: dict[str, float]
    failing: list[str]
    reached: dict[str, list[int]]

    def reaching(self, mutant: Mutant) -> dict[str, float]:
        """The tests that can notice a mutant: all of them where it changes an import, or no test reaches it.

        First come those whose function takes least with all its cases: what hundreds of cases notice, one often does.
        """
        numbers = {number for line in mutant.lines for number in self.reached.get(f"{mutant.path}:{line}", [])}
        everyone = list(self.seconds)
        names = everyone if mutant.imported or not numbers else [everyone[number] for number in numbers]
        functions: dict[str, float] = {}
        for name in names:
            functions[_function(name)] = functions.get(_function(name), 0) + self.seconds[name]
        names.sort(key=lambda name: (functions[_function(name)], self.seconds[name]))
        return {name: self.seconds[name] for name in names}


def _function(name: str) -> str:
    return name.partition("[")[0]


def measure(tests: Tests, paths: Sequence[str]) -> Measured:
    """Run all tests twice in a process of their own: for their seconds, and for the lines of `paths` they reach."""
    plain = json.loads(in_child(lambda: json.dumps(list(tests.run(list(tests.items), {})))))
    seconds = {name: taken for name, passed, taken in plain if passed}
    failing, reached = json.loads(in_child(lambda: json.dumps(_reach(tests, list(seconds), paths))))
    numbers = {name: number for number, name in enumerate(name for name in seconds if name not in failing)}
    return Measured(
        seconds={name: seconds[name] for name in numbers},
        failing=[name for name in tests.items if name not in numbers],
        reached={
            line: sorted(numbers[name] for name in names if name in numbers) for line, names in sorted(reached.items())
        },
    )


def _reach(tests: Tests, names: Sequence[str], paths: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    tracer = coverage.Coverage(data_file=None, include=[str(Path(path).resolve()) for path in paths])
    failing = []
    tracer.start()
    for name in names:
        tracer.switch_context(name)
        failing += [name for _, passed, _ in tests.run([name], {}) if not passed]
    tracer.stop()
    data = tracer.get_data()
    reached = {
        f"{path}:{line}": contexts
        for path in paths
        for line, contexts in data.contexts_by_lineno(str(Path(path).resolve())).items()
    }
    return failing, reached


class Functions:
    """All functions of the modules that are imported, wherever they are held."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, int], list[FunctionType]] = {}
        for one in gc.get_objects():
            if isinstance(one, FunctionType):
                code = one.__code__
                self._held.setdefault((one.__module__, code.co_qualname, code.co_firstlineno), []).append(one)

    def change(self, path: str, tree: ast.Module) -> None:
        """Give the functions of a file the code of `tree`."""
        inside = [compile(tree, path, "exec")]
        while inside:
            code = inside.pop()
            inside += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
            for function in self._held.get((module_name(path), code.co_qualname, code.co_firstlineno), []):
                function.__code__ = code


def killer(tests: Tests, functions: Functions, mutant: Mutant, source: str, measured: Measured) -> str:
    """What notices a mutant: a test, `IMPORT`, or twice `TIME`; nothing when it survives."""
    found = _killer(tests, functions, mutant, source, measured)
    return _killer(tests, functions, mutant, source, measured) if found == TIME else found


def _killer(tests: Tests, functions: Functions, mutant: Mutant, source: str, measured: Measured) -> str:
    seconds = measured.reaching(mutant)
    if len(seconds) == len(measured.seconds):
        return _fresh_killer(Fresh(mutant.path, mutant.node, mutant.change, seconds))

    def failure() -> str:
        functions.change(mutant.path, mutated(mutant, source))
        return tests.first_failure(list(seconds), seconds)

    return in_child(failure)


def in_child(work: Callable[[], str]) -> str:
    """Do work in a fork of this process, without its output; gives what the work gives, or `TIME`.

    Raises: RuntimeError: the child has broken.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for output in (1, 2):
            os.dup2(nothing, output)
        try:
            said, code = work(), 0
        except BaseException:  # noqa: BLE001 - nothing of the child may go on in the parent's code
            said, code = traceback.format_exc(), 1
        with os.fdopen(writer, "w") as answer:
            answer.write(said)
        os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    return _said(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said)


def _said(code: int, said: str) -> str:
    if code == -signal.SIGPROF:
        return TIME
    if code:
        raise RuntimeError(f"a process that ran tests ended with {code}: {said}")
    return said


@dataclass(frozen=True)
class Fresh:
    """What a new process needs to know: the mutant, and the tests with their seconds."""

    path: str
    node: int
    change: int
    seconds: dict[str, float]


def _fresh_killer(asked: Fresh) -> str:
    done = subprocess.run([sys.executable, __file__], input=json.dumps(asdict(asked)), capture_output=True, text=True)
    return _said(done.returncode, done.stdout)


class Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module, and gives it this code."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        self._path, self._tree = path, tree

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's spec, None for every other one."""
        if fullname != module_name(self._path):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=self._path)

    def get_source(self, fullname: str) -> None:
        """There is no source of changed code."""

    def get_code(self, fullname: str) -> CodeType:
        """The changed code."""
        return compile(self._tree, self._path, "exec")


def module_name(path: str) -> str:
    """The name of the module in a file, its path from the root of the imports."""
    return ".".join(Path(path).with_suffix("").parts)


def main() -> None:
    """Run the tests of one mutant in this new process, and print what notices it."""
    asked = Fresh(**json.load(sys.stdin))
    source = Path(asked.path).read_text()
    [mutant] = [one for one in mutants(asked.path, source) if (one.node, one.change) == (asked.node, asked.change)]
    sys.meta_path.insert(0, Changed(asked.path, mutated(mutant, source)))
    found: list[str] = []

    def use(tests: Tests) -> None:
        known = [name for name in asked.seconds if name in tests.items]
        others = [name for name in tests.items if name not in asked.seconds]
        found.append(tests.first_failure([*known, *others], asked.seconds))

    signal.setitimer(signal.ITIMER_PROF, SECONDS_IMPORT_MAX)
    code = collect(sorted({name.partition("::")[0] for name in asked.seconds}), use)
    sys.stdout.write(found[0] if found else IMPORT)
    sys.exit(code if code == pytest.ExitCode.INTERNAL_ERROR else 0)


if __name__ == "__main__":
    main()
