"""Organisations whose peers run an altered contract, on the real network: whose money they can move, and whose not."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import contention
import pytest
from contention import BUYER, CARRIER, FINANCIER, SUPPLIER
from kv_network import channel_of
from world_bodies import DEPOSIT

import chaincode
from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import EndorseError, Ledger
from network import components, control, lifecycle, processes, readiness, tools
from network.gateway import CommitError
from network.topology import Topology

pytestmark = pytest.mark.network

ALTERED = '''

async def forge(stub: Stub, arguments: list[bytes]) -> Answer:
    """Change records as told, by key, and ask no rule."""
    told = json.loads(arguments[0])
    if "forge" not in told:
        return await handle(stub, arguments)
    for key, changes in told["forge"].items():
        record = json.loads(await stub.get_state(key)) | changes
        stub.put_state(key, json.dumps(record, sort_keys=True, separators=(",", ":")).encode())
    return Answer(True, b"{}")


sys.exit(main(forge))
'''


@pytest.fixture(scope="module")
def ledgers(network: Topology) -> Iterator[dict[str, Ledger]]:
    """Everybody's way to the ledger; the buyer and the carrier hold deposits."""
    with ExitStack() as stack:
        opened: dict[str, Ledger] = {}
        for organisation, folders in network.all_folders():
            ledger = FabricLedger(
                endpoint=organisation.peer_endpoint,
                tls_roots=folders.tls_ca,
                msp_id=organisation.msp_id,
                certificate=folders.user.certificate,
                key=folders.user.key,
                channel=network.channel,
                chaincode=network.chaincode,
            )
            opened[organisation.msp_id] = stack.enter_context(closing(ledger))
        contention.found(opened)
        for who in (BUYER, CARRIER):
            contention.level(opened)
            contention.submit(opened[FINANCIER], [issue(who, 1_000)])
        contention.level(opened)
        yield opened


@contextmanager
def altered(network: Topology, folder: Path, msp_ids: tuple[str, ...]) -> Iterator[None]:
    """These organisations serve a contract of their own making to their peers, under the package that all approved."""
    own = Path(str(chaincode.__file__)).parent
    shutil.copytree(own, folder / "chaincode", ignore=shutil.ignore_patterns("__pycache__"))
    program = folder / "altered.py"
    rest = (own / "main.py").read_text("utf-8").partition('if __name__ == "__main__":')[0]
    program.write_text(rest.replace("import sys\n", "import json\nimport sys\n", 1) + ALTERED, "utf-8")
    binaries = tools.find(network.fabric_folder)
    assert binaries is not None, "the network runs, so its tools are there"
    contract = replace(lifecycle.read_contract(network), command=(sys.executable, str(program)))
    wanted = [
        components.chaincode(contract, organisation, folders)
        for organisation, folders in network.all_folders()
        if organisation.msp_id in msp_ids
    ]
    try:
        processes.stop(network.data, [each.name for each in wanted])
        for each in wanted:
            processes.start(network.data, each)
        for each in wanted:
            processes.await_healthy(network.data, each, 30)
        assert readiness.unreached(network, network.organisations) == []
        yield
    finally:
        control.up(network, lambda _: None)


def issue(to: str, amount_minor: int) -> contention.Command:
    body = {"deposit": DEPOSIT, "to": to, "amount_minor": amount_minor, "credit_reference": secrets.token_hex(32)}
    return "IssueDeposit", body | {"booked_on": contention.today()}


def account(party: str) -> str:
    return f"account/cash/{DEPOSIT}/cash:{party}"


def record(ledger: Ledger, key: str) -> dict[str, Any]:
    asked = json.dumps({"version": 1, "query": {"type": "Record", "key": key}}).encode()
    found: dict[str, Any] = json.loads(ledger.evaluate(asked))["result"]
    return found


def fate(network: Topology, forged: dict[str, Any], endorsers: tuple[str, ...]) -> str:
    """What becomes of a forgery that these organisations endorse and the first one sends."""

    async def run() -> str:
        (sender,) = (each.name for each in network.organisations if each.msp_id == endorsers[0])
        async with channel_of(network, sender) as channel:
            proposal = channel.contract(network.chaincode).propose(
                json.dumps({"forge": forged}), organisations=endorsers
            )
            commit = await (await proposal.endorse()).submit()
            try:
                (await commit.status()).check()
            except CommitError as error:
                return error.validation_code
            return "VALID"

    return asyncio.run(run())


def test_three_organisations_with_an_altered_contract_cannot_move_the_fourths_deposit(
    network: Topology, ledgers: dict[str, Ledger], tmp_path: Path
) -> None:
    thieves = (SUPPLIER, FINANCIER, CARRIER)
    victims, own = record(ledgers[SUPPLIER], account(BUYER)), record(ledgers[SUPPLIER], account(CARRIER))
    theft = {
        account(BUYER): {"balance_minor": 0},
        account(CARRIER): {"balance_minor": own["balance_minor"] + victims["balance_minor"]},
    }
    assert victims["balance_minor"] > 0
    with altered(network, tmp_path, thieves):
        assert fate(network, theft, thieves) == "ENDORSEMENT_POLICY_FAILURE"
        # The control: a key that has no endorsers of its own is theirs to change, the victim's own record too.
        party = f"party/{BUYER}"
        url = record(ledgers[SUPPLIER], party)["peer_url"]
        assert fate(network, {party: {"peer_url": "https://thief:1"}}, thieves) == "VALID"
        contention.level(ledgers)
        assert record(ledgers[SUPPLIER], party)["peer_url"] == "https://thief:1"
        assert fate(network, {party: {"peer_url": url}}, thieves) == "VALID"
    contention.level(ledgers)
    assert record(ledgers[BUYER], account(BUYER)) == victims
    assert record(ledgers[BUYER], account(CARRIER)) == own


def test_an_owner_with_an_altered_contract_cannot_give_itself_money(
    network: Topology, ledgers: dict[str, Ledger], tmp_path: Path
) -> None:
    """A transaction that writes nothing but the owner's account asks for no other policy than that account's."""
    before = record(ledgers[BUYER], account(BUYER))
    more: Callable[[int], dict[str, Any]] = lambda amount: {  # noqa: E731
        account(BUYER): {"balance_minor": before["balance_minor"] + amount}
    }
    with altered(network, tmp_path, (BUYER, CARRIER, SUPPLIER)):
        assert fate(network, more(10**6), (BUYER,)) == "ENDORSEMENT_POLICY_FAILURE"
        assert fate(network, more(10**6), (BUYER, CARRIER)) == "ENDORSEMENT_POLICY_FAILURE"
        # The control, which changes nothing: the owner and two more are a majority with the owner in it.
        assert fate(network, more(0), (BUYER, CARRIER, SUPPLIER)) == "VALID"
    contention.level(ledgers)
    assert record(ledgers[FINANCIER], account(BUYER)) == before


def test_the_gateway_asks_the_owners_by_itself_and_who_is_down_stops_only_what_moves_its_own_account(
    network: Topology, ledgers: dict[str, Ledger]
) -> None:
    def pay(to: str) -> contention.Command:
        return "TransferDeposit", {"deposit": DEPOSIT, "to": to, "amount_minor": 1}

    before = record(ledgers[BUYER], account(CARRIER))["balance_minor"]
    contention.submit(ledgers[BUYER], [pay(CARRIER)])
    contention.level(ledgers)
    processes.stop(network.data, ["carrier.peer"])
    try:
        contention.submit(ledgers[FINANCIER], [issue(BUYER, 1)])
        command = {"command_id": secrets.token_hex(16), "type": "TransferDeposit", "body": pay(CARRIER)[1]}
        argument = json.dumps({"version": 1, "commands": [command]}).encode()
        with pytest.raises(EndorseError):
            ledgers[BUYER].submit(ledgers[BUYER].prepare(argument))
    finally:
        control.up(network, lambda _: None)
    assert record(ledgers[BUYER], account(CARRIER))["balance_minor"] == before + 1
    contention.submit(ledgers[BUYER], [pay(CARRIER)])
    contention.level(ledgers)
    assert record(ledgers[BUYER], account(CARRIER))["balance_minor"] == before + 2
