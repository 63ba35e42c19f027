"""Running the workers: one thread each, watched, started again after a failure, and only one set per node.

A lock on a file in the node's folder proves that no second process works on the same outbox; the system releases it
when the process ends, however it ends. A projector that met a block it cannot read stays stopped and says so.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from ledger_node.errors import ConfigError, ProjectionError
from ledger_node.workers.heartbeats import BEAT_SECONDS, Heartbeats, WorkerState
from ledger_node.workers.outcomes import Outcome, Outcomes

LOCK_NAME = "workers.lock"
RESTART_SECONDS_MIN = 0.5
RESTART_SECONDS_MAX = 30.0
OUTBOX, PROJECTOR, VERIFIER, NAMER = "outbox", "projector", "verifier", "namer"
SCRUBBER, DAY_OPENER, WEBHOOKS, RESPONDER = "scrubber", "day opener", "webhooks", "responder"

Run = Callable[[threading.Event], None]
log = structlog.get_logger(__name__)


def worker_names(*, scrub: bool, open_days: bool, respond: bool) -> set[str]:
    """The workers of a node with these settings; it is ready when each of them is well."""
    always = {OUTBOX, PROJECTOR, VERIFIER, NAMER, WEBHOOKS}
    chosen = {SCRUBBER: scrub, DAY_OPENER: open_days, RESPONDER: respond}
    return always | {name for name, is_chosen in chosen.items() if is_chosen}


class WorkersLock:
    """The right to run the workers of one node.

    Args:
        folder: the node's folder.

    Raises: ConfigError naming the process that has it.
    """

    def __init__(self, folder: Path) -> None:
        self._handle: int | None = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._handle, 32, 0).decode().strip() or "unknown"
            self.release()
            raise ConfigError(
                f"the workers of the node in {folder} already run in process {holder}",
                "Stop the node first (end its `ledger-node node serve`); there is one set of workers per node.",
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the right back; twice is fine."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class Workers:
    """A set of running workers.

    Args:
        runs: by name, each returns soon after the event it is given is set.
        heartbeats: where they show that they live.
        stop: ends them.
        outcomes: what the workers tell of their work.
    """

    def __init__(
        self, runs: Mapping[str, Run], heartbeats: Heartbeats, stop: threading.Event, outcomes: Outcomes | None = None
    ) -> None:
        self._heartbeats = heartbeats
        self._outcomes = outcomes
        self._stop = stop
        self._states: dict[str, tuple[WorkerState, str]] = {name: (WorkerState.RUNNING, "") for name in runs}
        self._changed = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_running, args=(name, run), name=name) for name, run in runs.items()
        ]
        self._threads.append(threading.Thread(target=self._beat, name="heartbeat"))
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all have ended, after `stop` was set."""
        for thread in self._threads:
            thread.join()

    def _keep_running(self, name: str, run: Run) -> None:
        try:
            self._run_again_and_again(name, run)
        finally:
            self._changed.set()

    def _run_again_and_again(self, name: str, run: Run) -> None:
        pause = RESTART_SECONDS_MIN
        while not self._stop.is_set():
            self._is(name, WorkerState.RUNNING, self._states[name][1])
            try:
                run(self._stop)
            except ProjectionError as error:
                log.critical("a worker stopped for good", worker=name, error=error.text, remedy=error.remedy)
                self._is(name, WorkerState.STOPPED, f"{error.text} {error.remedy}".strip())
                return
            except Exception as error:
                log.exception("a worker failed, it is started again", worker=name, pause_seconds=pause)
                self._is(name, WorkerState.FAILING, repr(error))
                self._stop.wait(pause)
                pause = min(RESTART_SECONDS_MAX, pause * 2)

    def _is(self, name: str, state: WorkerState, text: str) -> None:
        if self._states[name] != (state, text):
            self._states[name] = state, text
            self._changed.set()

    def _beat(self) -> None:
        """Show the states now and then, at once when one has changed, and once more at the end."""
        while not self._stop.is_set():
            self._changed.clear()
            self._show(dict(self._states))
            self._changed.wait(BEAT_SECONDS)
        self._show({name: (WorkerState.STOPPED, "the node was stopped") for name in self._states})

    def _show(self, states: Mapping[str, tuple[WorkerState, str]]) -> None:
        try:
            self._heartbeats.beat_together([self._sign(name, *shown) for name, shown in states.items()])
        except Exception:
            log.exception("the signs of life could not be written")

    def _sign(self, name: str, state: WorkerState, text: str) -> tuple[str, WorkerState, str, Outcome]:
        outcome = self._outcomes.of(name) if self._outcomes else Outcome()
        starts = self._outcomes and name == PROJECTOR and outcome.success_age_seconds is None
        if state is WorkerState.RUNNING and starts:
            state = WorkerState.STARTING  # what it has shown so far may be old, or of another ledger
        return name, state, outcome.text or text, outcome
