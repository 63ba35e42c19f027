"""The process in which documents of strangers meet the rules: `python -P -m ledger_node.rules.worker FOLDER`.

A request is a line with the number of bytes, then those bytes; an answer is a line of JSON. The first line that it
writes says whether it can check at all. Each document may take so much of the processor; whoever started it watches
time and memory besides and kills it. It ends with its input. Only one Saxon processor may live in a process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ledger_node.errors import NodeError
from ledger_node.rules.packs import CORE, Pack, find_packs
from ledger_node.rules.reading import Run, check
from ledger_node.rules.verdict import unchecked

if TYPE_CHECKING:
    from saxonche import PyXsltExecutable

CPU_SECONDS_MAX = 30
"""Of one document, when nobody is left who would end it sooner."""


def main(folder: Path) -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not be taken for an answer
    try:
        packs = find_packs(folder)
        run = _saxon([path for pack in packs if pack.name == CORE for path in pack.stylesheets.values()])
    except ImportError:
        _say(answers, {"reason": "the extra `rules` is not installed: pip install 'ledger-node[rules]'"})
        return
    except NodeError as error:
        _say(answers, {"reason": error.text})
        return
    _say(answers, {"reason": ""})
    while line := sys.stdin.buffer.readline():
        content = sys.stdin.buffer.read(int(line))
        _bound_processor_time()
        _say(answers, _answer(content, packs, run))


def _answer(content: bytes, packs: list[Pack], run: Run) -> dict[str, object]:
    try:
        return check(content, packs, run).as_json()
    except Exception as error:  # noqa: BLE001  one document must not keep the others from being checked; what it was, is said
        return unchecked(f"the rules could not be applied: {type(error).__name__}: {str(error)[:300]}").as_json()


def _saxon(needed: Iterable[Path]) -> Run:
    """Applies stylesheets, each compiled once: those that every document needs before the first one comes.

    Raises: ImportError.
    """
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    xslt = processor.new_xslt30_processor()

    @cache
    def compiled(path: Path) -> PyXsltExecutable:
        return xslt.compile_stylesheet(stylesheet_file=str(path))

    for path in needed:
        compiled(path)

    def run(pack: Pack, syntax: str, text: str) -> str:
        document = processor.parse_xml(xml_text=text)
        report: str = compiled(pack.stylesheets[syntax]).transform_to_string(xdm_node=document)
        return report

    return run


def _bound_processor_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS_MAX
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _say(answers: BinaryIO, content: dict[str, object]) -> None:
    answers.write(json.dumps(content).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
