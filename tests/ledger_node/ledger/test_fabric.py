"""The ledger protocol over a real Fabric network: what each outcome looks like to the node."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from frozen import frozen
from kv_network import CHAINCODE

from ledger_node.errors import ConfigError
from ledger_node.ledger import fabric
from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import (
    CommitError,
    ContractRefused,
    EndorseError,
    Ledger,
    LedgerError,
    Receipt,
    SubmitError,
    TooLargeError,
    Write,
)
from network import control
from network.gateway import Deadlines
from network.topology import Topology

pytestmark = pytest.mark.network
PROMPT_SECONDS = 50.0
"""Less than any deadline that would end the same call; how much less is the machine's business."""


def ledger_of(kv: Topology, organisation: str = "supplier", **options: Any) -> FabricLedger:
    folders = kv.folders(organisation)
    settings = {
        "endpoint": kv.organisation(organisation).peer_endpoint,
        "tls_roots": folders.tls_ca,
        "msp_id": kv.organisation(organisation).msp_id,
        "certificate": folders.user.certificate,
        "key": folders.user.key,
        "channel": kv.channel,
        "chaincode": CHAINCODE,
    }
    return FabricLedger(**{**settings, **options})


@pytest.fixture
def ledger(kv: Topology) -> Iterator[Ledger]:
    opened = ledger_of(kv)
    yield opened
    opened.close()


def call(*arguments: str) -> bytes:
    return json.dumps(arguments).encode()


def submit(ledger: Ledger, *arguments: str) -> Receipt:
    """Submit as the outbox does: peers at different heights disagree for a moment, and a new transaction is made."""
    for _ in range(40):
        try:
            return ledger.submit(ledger.prepare(call(*arguments)))
        except EndorseError as error:
            if "do not match" not in str(error):
                raise
            threading.Event().wait(0.05)
    return ledger.submit(ledger.prepare(call(*arguments)))


def test_a_submitted_transaction_has_a_receipt_and_can_be_read(ledger: Ledger, key: str) -> None:
    first = submit(ledger, "put", key, "1")
    second = submit(ledger, "put", key, "2")
    assert (first.code, first.answer) == ("VALID", b"")
    assert (second.code, second.answer) == ("VALID", b"1")
    assert second.block_number > first.block_number
    assert ledger.evaluate(call("get", key)) == b"2"
    assert ledger.height() > second.block_number


def test_a_transaction_is_prepared_without_any_network_and_submitted_by_another_process(
    kv: Topology, ledger: Ledger, key: str
) -> None:
    offline = ledger_of(kv, endpoint="127.0.0.1:1")
    prepared = offline.prepare(call("put", key, "1"))
    offline.close()
    assert ledger.submit(prepared).transaction_id == prepared.transaction_id


def test_a_refusal_carries_the_contracts_own_answer(ledger: Ledger) -> None:
    with pytest.raises(ContractRefused) as caught:
        submit(ledger, "refuse")
    assert caught.value.answer == '{"code":"NOT_APPROVED"}'
    assert len(caught.value.transaction_id) == 64
    with pytest.raises(ContractRefused):
        ledger.evaluate(call("refuse"))


def test_a_contract_that_breaks_did_not_refuse(ledger: Ledger) -> None:
    with pytest.raises(EndorseError, match="on purpose"):
        submit(ledger, "break_down")
    with pytest.raises(EndorseError, match="on purpose"):
        ledger.evaluate(call("break_down"))


def test_a_refusal_by_other_organisations_only_is_not_final(kv: Topology, ledger: Ledger, key: str) -> None:
    """Their peers may be behind ours: the same command must be tried again."""
    own = kv.organisation("supplier").chaincode_endpoint
    with pytest.raises(EndorseError, match="NOT_YET"):
        submit(ledger, "refuse_elsewhere", own, key)
    with pytest.raises(ContractRefused):
        submit(ledger, "refuse_elsewhere", kv.organisation("buyer").chaincode_endpoint, key)


def test_a_network_that_cannot_be_reached_endorses_nothing(kv: Topology) -> None:
    nowhere = ledger_of(kv, endpoint="127.0.0.1:1")
    with pytest.raises(EndorseError):
        submit(nowhere, "put", "a", "1")
    with pytest.raises(EndorseError):
        nowhere.evaluate(call("get", "a"))
    with pytest.raises(LedgerError):
        nowhere.height()
    with pytest.raises(LedgerError):
        next(nowhere.blocks(0, threading.Event()))
    began = time.monotonic()
    assert nowhere.status("0" * 64, 1.0) is None
    assert time.monotonic() - began < PROMPT_SECONDS
    nowhere.close()


def test_what_is_too_large_says_so(ledger: Ledger, key: str) -> None:
    with pytest.raises(TooLargeError):
        submit(ledger, "put_blind", key, "v" * 6_000_000)
    with pytest.raises(TooLargeError):
        submit(ledger, "put_blind", key, "v" * 110_000_000)


def test_writers_of_the_same_key_at_once_get_commit_errors_and_one_wins(ledger: Ledger, key: str) -> None:
    def attempt(number: int) -> str:
        try:
            return submit(ledger, "put", key, str(number)).code
        except CommitError as error:
            assert error.block_number > 0
            return error.code
        except EndorseError:
            return "NOT_ENDORSED"  # peers at different heights answered differently: to be tried anew as well

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(attempt, range(24)))
    assert {"VALID", "MVCC_READ_CONFLICT"} <= set(codes) <= {"VALID", "MVCC_READ_CONFLICT", "NOT_ENDORSED"}


def test_what_was_sent_before_is_a_question_about_its_status(ledger: Ledger, key: str) -> None:
    prepared = ledger.prepare(call("put", key, "1"))
    receipt = ledger.submit(prepared)
    with pytest.raises(SubmitError, match="sent before"):
        ledger.submit(prepared)
    status = ledger.status(prepared.transaction_id, 5)
    assert status == Receipt(prepared.transaction_id, receipt.block_number, "VALID", b"")


def test_an_id_that_never_was_is_unknown_after_the_time_given(ledger: Ledger) -> None:
    began = time.monotonic()
    assert ledger.status("0" * 64, 0.5) is None
    assert 0.4 < time.monotonic() - began < PROMPT_SECONDS


def test_an_invalid_transaction_is_known_by_its_id_with_its_code(ledger: Ledger, key: str) -> None:
    prepared = [ledger.prepare(call("put", key, str(number))) for number in range(12)]
    invalid = []
    with ThreadPoolExecutor(12) as pool:
        for each, outcome in zip(prepared, [pool.submit(ledger.submit, each) for each in prepared], strict=True):
            if isinstance(outcome.exception(), CommitError):
                invalid.append(each.transaction_id)
    assert invalid
    status = ledger.status(invalid[0], 5)
    assert status is not None
    assert status.code == "MVCC_READ_CONFLICT"


def test_another_organisations_node_reads_a_write_once_it_asks_for_its_block(
    kv: Topology, ledger: Ledger, key: str
) -> None:
    buyer = ledger_of(kv, "buyer")
    for number in range(20):
        receipt = submit(ledger, "put_blind", key, str(number))
        assert buyer.evaluate(call("get", key), receipt.block_number) == str(number).encode()
    buyer.close()


def test_a_block_that_does_not_come_in_time_is_an_error(
    ledger: Ledger, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fabric, "BLOCK_WAIT_SECONDS", 0.3)
    with pytest.raises(EndorseError, match="does not have block 1000000 yet"):
        ledger.evaluate(call("get", key), 1_000_000)


def test_blocks_show_the_contracts_own_writes_only_and_end_promptly(ledger: Ledger, key: str) -> None:
    submit(ledger, "put", key, "1")
    receipt = submit(ledger, "delete", key)
    stop = threading.Event()
    blocks = []
    for block in ledger.blocks(0, stop):
        blocks.append(block)
        if block.number == receipt.block_number:
            threading.Timer(0.2, stop.set).start()
            began = time.monotonic()
    assert time.monotonic() - began < PROMPT_SECONDS
    assert [block.number for block in blocks] == list(range(len(blocks)))
    mine = {each.id: each for block in blocks for each in block.transactions}[receipt.transaction_id]
    assert mine.writes == (Write(key, None),)
    assert (mine.code, mine.msp_id, mine.answer) == ("VALID", "SupplierMSP", b"")
    assert mine.timestamp.endswith("Z")
    assert all(write.key != "namespaces" for block in blocks for each in block.transactions for write in each.writes)
    assert blocks[0].transactions[0].writes == ()


def test_blocks_can_be_followed_from_any_number_on(ledger: Ledger, key: str) -> None:
    receipt = submit(ledger, "put", key, "1")
    assert next(ledger.blocks(receipt.block_number, threading.Event())).number == receipt.block_number
    with pytest.raises(LedgerError, match="NOT_FOUND"):
        next(ledger.blocks(1_000_000, threading.Event()))
    stopped = threading.Event()
    stopped.set()
    assert list(ledger.blocks(0, stopped)) == []


def test_closing_ends_a_reader_of_blocks_with_an_error(kv: Topology) -> None:
    ledger = ledger_of(kv)
    blocks = ledger.blocks(ledger.height() - 1, threading.Event())
    next(blocks)
    threading.Timer(0.3, ledger.close).start()
    with pytest.raises(LedgerError):
        next(blocks)
    ledger.close()
    with pytest.raises(RuntimeError, match="closed"):
        ledger.height()


def test_files_that_are_missing_or_wrong_are_configuration_errors(kv: Topology, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        ledger_of(kv, certificate=tmp_path / "missing.pem")
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = ec.generate_private_key(ec.SECP521R1()).private_bytes(encoding, form, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(key)
    with pytest.raises(ConfigError, match="P-256"):
        ledger_of(kv, key=tmp_path / "key.pem")
    with pytest.raises(ConfigError, match="is no certificate"):
        ledger_of(kv, certificate=tmp_path / "key.pem")


@contextmanager
def stopped(kv: Topology, *components: str) -> Iterator[None]:
    """Processes that hang."""
    pids = [each.pid for each in control.status(kv) if each.component in components and each.pid is not None]
    assert len(pids) == len(components)
    with frozen(*pids):
        yield


def test_without_a_quorum_of_orderers_the_fate_is_unknown_and_known_by_its_id_later(kv: Topology, key: str) -> None:
    ledger = ledger_of(kv, deadlines=Deadlines(submit_seconds=1, commit_status_seconds=1))
    prepared = ledger.prepare(call("put_blind", key, "1"))
    with stopped(kv, "buyer.orderer", "carrier.orderer"):
        with pytest.raises(SubmitError):
            ledger.submit(prepared)
        assert ledger.status(prepared.transaction_id, 0.5) is None
    receipt = ledger.status(prepared.transaction_id, 30)
    assert receipt is not None
    assert receipt.code == "VALID"
    assert ledger.evaluate(call("get", key)) == b"1"
    ledger.close()
