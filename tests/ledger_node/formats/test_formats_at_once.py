"""The first invoices of a process, read by several threads at once, are all measured by a schema that is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Each child is a process that has read no schema but what our own modules have: only its first one can go wrong.
PROGRAM = """
import os, threading
from lxml import etree
import ledger_node.formats.ubl_cii

CHILDREN, READERS = 200, 4
SCHEMA = '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema"><s:element name="a" type="s:string"/></s:schema>'


def read_at_once():
    start, errors = threading.Barrier(READERS), []

    def read():
        tree = etree.XML(SCHEMA)
        start.wait()
        try:
            etree.XMLSchema(tree)
        except etree.XMLSchemaError as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return errors


for _ in range(CHILDREN):
    child = os.fork()
    if not child:
        errors = read_at_once()
        print(*errors, sep="\\n", end="", flush=True)
        os._exit(bool(errors))
    assert os.waitpid(child, 0)[1] == 0
"""


def test_schemas_that_are_the_first_of_a_process_and_read_at_once_are_all_read() -> None:
    root = Path(__file__).resolve().parents[3]
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, cwd=root, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
