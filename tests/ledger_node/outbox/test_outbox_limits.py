"""A full outbox and a block that the caller has seen, as people meet them: through the API and the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_world import Caller, proof_file
from consortium import BUYER, CARRIER, Consortium, eventually, organisations
from prompt import Prompt

GOODS = {"buyer": BUYER, "carrier": CARRIER, "reference": "SHIP 1"}


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Four nodes that let two commands wait, their workers not running."""
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home, limits={"outbox_commands_max": 2})
    yield world
    world.close()


def test_a_full_outbox_answers_503_before_anything_is_stored_and_takes_more_when_it_has_emptied(
    world: Consortium,
) -> None:
    supplier = Caller(world, "supplier")
    for number in range(2):
        assert supplier.post("uploader", "/v1/shipments", GOODS, key=f"key-{number}", wait=0).status == 202
    before = supplier.stored()
    for answer in (
        supplier.post("uploader", "/v1/shipments", GOODS, key="key-2", wait=0),
        supplier.upload("proof_of_delivery", "application/pdf", proof_file("FULL"), [BUYER], wait=0),
    ):
        assert (answer.status, answer.code) == (503, "OUTBOX_FULL")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
    assert supplier.stored() == before
    again = supplier.post("uploader", "/v1/shipments", GOODS, key="key-1", wait=0)
    assert again.status == 202, "a repetition of what was taken is answered"
    assert supplier.post("approver", "/v1/shipments", GOODS, wait=0).code == "TOKEN_ROLE"
    world.start("supplier")  # nothing was founded: both are refused, which is an answer
    eventually(
        lambda: supplier.post("uploader", "/v1/shipments", GOODS, key="key-2", wait=0).status != 503,
        "there is room again",
    )


def test_what_names_a_block_is_decided_on_a_state_at_least_that_new(world: Consortium) -> None:
    supplier = Prompt(Caller(world, "supplier"))
    register = ("shipment", "register", "--buyer", BUYER, "--carrier", CARRIER, "--reference", "SHIP 2")
    try:
        world.start()
        early = supplier.run("uploader", *register)
        assert early.exit_code == 5, "the control: without a block it is decided, and refused, at once"
        # Founding, four confirmations and the first day are the blocks 0 to 5.
        late = supplier.run("uploader", *register, "--block-min", "5", "--wait", "1", "--idempotency-key", "late")
        assert late.exit_code == 4, late.output
        world.found()
        found = supplier.json("uploader", *register, "--block-min", "5", "--idempotency-key", "late")
        assert found["status"] == "applied"
        assert found["block_number"] > 5
    finally:
        supplier.close()
