"""`python -m network.watch FOLDER ORGANISATION`: the supervisor as `up` starts it; SIGTERM ends it."""

from __future__ import annotations

import datetime as dt
import signal
import sys
from pathlib import Path
from threading import Event

from network.errors import NetworkError
from network.watch.supervisor import run


def main(folder: str, organisation: str) -> int:
    """Watch until told to stop; the exit status."""
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        run(Path(folder), organisation, tell, stopping)
    except NetworkError as error:
        tell(f"{error.text}. {error.remedy}")
        return 1
    return 0


def tell(line: str) -> None:
    """Write one line of the supervisor's log."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sys.stdout.write(f"{now} {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
