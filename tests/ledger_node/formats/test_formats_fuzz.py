"""Whatever bytes a stranger sends, a reader answers with facts or with a named refusal, and with nothing else."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import random
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from bank_files import camt_053_02, camt_054, entry, pain_002
from goods_papers import despatch_advice, envelope, epcis_xml, transport_document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from test_formats_goods import BETA, FINAL, FLAT
from trade_papers import cii

from ledger_node.demo import samples
from ledger_node.formats import Facts, FormatError, facts_json
from ledger_node.formats.bank_statement import read_statement
from ledger_node.formats.payment_status import read_payment_status
from ledger_node.formats.pdf import invoice_inside, read_pdf
from ledger_node.formats.transport import read_events, read_events_xml
from ledger_node.formats.ubl_cii import read_invoice
from ledger_node.hashing import digest_json

WHEN = datetime.datetime(2026, 10, 28, 8, 30, tzinfo=datetime.UTC)
PARTIES = (samples.SUPPLIER, samples.BUYER)
INVOICE = samples.invoice_ubl(
    "INV-1", *PARTIES, WHEN.date(), WHEN.date(), "EUR", 100_050, "PO-1", "DES-1", samples.SUPPLIER_IBAN
)
EVENTS = samples.delivery_events_epcis("DES-1", "PO-1", *PARTIES, WHEN, WHEN)
CII = cii()
PROOF = samples.proof_of_delivery_pdf("DES-1", "PO-1", *PARTIES, WHEN.date(), packages=3)


def _hybrid() -> bytes:
    """The proof's page with an invoice embedded."""
    writer, file = PdfWriter(PdfReader(io.BytesIO(PROOF))), io.BytesIO()
    writer.add_attachment("factur-x.xml", CII)
    writer.write(file)
    return file.getvalue()


HYBRID = _hybrid()
Reader = Callable[[bytes], Facts | bytes | tuple[Any, ...]]
READERS: list[tuple[Reader, bytes]] = [
    (read_invoice, INVOICE),
    (read_invoice, CII),
    (read_events, EVENTS),
    (read_events, json.dumps([FLAT, BETA, FINAL]).encode()),
    (read_events, json.dumps(envelope(transport_document())).encode()),
    (read_events_xml, epcis_xml(json.loads(EVENTS), json.loads(EVENTS)["epcisBody"]["eventList"])),
    (read_events_xml, despatch_advice()),
    (read_pdf, PROOF),
    (invoice_inside, HYBRID),
    (read_statement, camt_054(entry())),
    (read_statement, camt_053_02()),
    (read_payment_status, pain_002("ACSC", "a" * 32)),
]
NAMES = [
    *("ubl", "cii", "events", "dcsa", "ebl", "epcis xml", "despatch", "pdf", "hybrid"),
    *("camt.054", "camt.053", "pain.002"),
]
MUTATION = st.tuples(
    st.sampled_from(["flip", "cut", "repeat", "insert"]), st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8)
)


def _mutate(content: bytes, mutations: list[tuple[str, int, bytes]]) -> bytes:
    for kind, where, extra in mutations:
        place = where % (len(content) or 1)
        before, after = content[:place], content[place:]
        if kind == "flip":
            content = before + bytes(a ^ b for a, b in zip(after, extra, strict=False)) + after[len(extra) :]
        elif kind == "cut":
            content = before + after[where % 64 :]
        elif kind == "repeat":
            content = before + after[:64] + after
        else:
            content = before + extra + after
    return content


@pytest.mark.parametrize(("reader", "valid"), READERS, ids=NAMES)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(mutations=st.lists(MUTATION, min_size=1, max_size=4))
def test_a_damaged_document_gives_facts_or_a_refusal(
    reader: Reader, valid: bytes, mutations: list[tuple[str, int, bytes]]
) -> None:
    with contextlib.suppress(FormatError):
        answer = reader(_mutate(valid, mutations))
        if not isinstance(answer, bytes | tuple):
            digest_json(facts_json(answer))


@pytest.mark.long
@pytest.mark.parametrize(("reader", "valid"), READERS, ids=NAMES)
def test_a_minute_of_damage_by_a_seed_gives_facts_or_refusals(reader: Reader, valid: bytes) -> None:
    """A minute of the processor for each reader; the tests beside it take 150 and 100 documents each."""
    chance, ends, answered = random.Random(20261201), time.process_time() + 60, 0
    kinds = ["flip", "cut", "repeat", "insert"]
    while time.process_time() < ends:
        mutations = [
            (chance.choice(kinds), chance.randrange(1 << 20), chance.randbytes(chance.randint(1, 8)))
            for _ in range(chance.randint(1, 4))
        ]
        with contextlib.suppress(FormatError):
            answer = reader(_mutate(valid, mutations))
            answered += 1
            if not isinstance(answer, bytes | tuple):
                digest_json(facts_json(answer))
    assert answered, "nothing but refusals: the damage is too great to say anything"


@pytest.mark.parametrize(("reader", "valid"), READERS, ids=NAMES)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(noise=st.binary(max_size=300))
def test_noise_is_refused(reader: Reader, valid: bytes, noise: bytes) -> None:
    with contextlib.suppress(FormatError):
        reader(noise)
    with contextlib.suppress(FormatError):
        reader(valid[: len(valid) // 2] + noise)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    reader=st.sampled_from([(read_invoice, INVOICE), (read_invoice, CII), (read_events, EVENTS)]),
    places=st.lists(st.integers(0, 1 << 20), min_size=1, max_size=3),
    word=st.sampled_from(
        ["-1", ".5", "1e9", "9" * 30, "381", "20260230", "2026-02-30", "eur", "\u202e", "\x85", "", "NaN"]
    ),
)
def test_a_document_with_other_words_in_some_places_gives_facts_or_a_refusal(
    reader: tuple[Callable[[bytes], Facts], bytes], places: list[int], word: str
) -> None:
    read, valid = reader
    pieces = re.split(rb"(>[^<]+<|\"[^\"]*\")", valid)
    for place in places:
        piece = 2 * (place % (len(pieces) // 2)) + 1
        pieces[piece] = pieces[piece][:1] + word.encode() + pieces[piece][-1:]
    with contextlib.suppress(FormatError):
        digest_json(facts_json(read(b"".join(pieces))))
