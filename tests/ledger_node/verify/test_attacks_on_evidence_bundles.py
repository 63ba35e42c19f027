"""Attacks on bundles by an issuer that lies: the step that owns what was changed says INVALID. The control verifies."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attacks import ATTACKS
from attacks_on_places import NO_ATTACKS, OPEN
from attacks_on_records import attested_again, control_of, revoked_neighbour, told_of_all
from forge import JSON, Consortium, canonical, url
from story import FILE, Story, written

from ledger_node.verify.checking import verify
from ledger_node.verify.report import Report


@pytest.fixture(scope="module")
def true() -> Story:
    return control_of(Consortium())


def checked(folder: Path, bundle: bytes, trust: JSON | bytes, file: bytes = FILE) -> Report:
    path, bundle_file, trust_file = written(folder, bundle, trust, file)
    return verify([path], bundle_file, trust_file)


def verdicts(report: Report) -> dict[str, str]:
    return {step.name: step.verdict for step in report.steps}


def test_the_true_story_verifies(true: Story, tmp_path: Path) -> None:
    report = checked(tmp_path, true.bundle(), true.trust)
    assert set(verdicts(report).values()) == {"VALID"}, report.as_text()
    assert report.exit_code == 0


@pytest.mark.parametrize("change", [attested_again, revoked_neighbour, told_of_all, *NO_ATTACKS])
def test_what_is_no_attack_verifies(true: Story, tmp_path: Path, change: Any) -> None:
    story = true.copy()
    change(story)
    report = checked(tmp_path, story.bundle(), story.trust)
    assert report.exit_code == 0, report.as_text()


@pytest.mark.parametrize("name", OPEN)
def test_what_cannot_be_told_is_an_error_and_no_accusation(true: Story, tmp_path: Path, name: str) -> None:
    step, change = OPEN[name]
    story = true.copy()
    change(story)
    report = checked(tmp_path, story.bundle(), story.trust)
    assert verdicts(report)[step] == "ERROR", report.as_text()
    assert report.exit_code == 4, report.as_text()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_by_the_step_that_owns_it(true: Story, tmp_path: Path, name: str) -> None:
    step, play = ATTACKS[name]
    forgery = play(true)
    report = checked(tmp_path, forgery.bundle, forgery.trust)
    assert verdicts(report)[step] == "INVALID", report.as_text()
    assert report.exit_code == 6


def test_a_changed_byte_of_the_file_is_found(true: Story, tmp_path: Path) -> None:
    report = checked(tmp_path, true.bundle(), true.trust, FILE[:-1] + b"X")
    assert [name for name, verdict in verdicts(report).items() if verdict != "VALID"] == ["file"]
    assert verdicts(report)["file"] == "INVALID"


def test_a_bundle_that_was_changed_after_it_was_signed_is_found_by_both_signatures(true: Story, tmp_path: Path) -> None:
    jws = json.loads(true.bundle())
    jws["payload"] = url(canonical({**true.payload, "issued_at": "2026-11-30T12:30:01Z"}))
    report = checked(tmp_path, canonical(jws), true.trust)
    assert (verdicts(report)["classical"], verdicts(report)["post-quantum"]) == ("INVALID", "INVALID")


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the texts and numbers of a JSON value stand."""
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[name], (*place, name))
    else:
        yield place


def changed(value: Any) -> Any:
    """Another value of the same kind and form."""
    if isinstance(value, int):
        return value + 1
    middle = len(value) // 2
    other = "1" if value[middle : middle + 1] != "1" else "2"
    return value[:middle] + other + value[middle + 1 :]


OWN_WORD = {("issued_at",)}
"""What only the issuer says and nobody else could contradict."""


def test_every_field_changed_in_turn_and_signed_again_is_found(true: Story, tmp_path: Path) -> None:
    unfound = []
    places = [place for place in leaves(true.payload) if place not in OWN_WORD]
    for place in places:
        story = true.copy()
        holder = story.payload
        for part in place[:-1]:
            holder = holder[part]
        holder[place[-1]] = changed(holder[place[-1]])
        if checked(tmp_path, story.bundle(), story.trust).exit_code == 0:
            unfound.append(place)
    assert len(places) > 80
    assert unfound == []


def test_every_part_of_a_list_left_out_in_turn_is_found(true: Story, tmp_path: Path) -> None:
    for name in ("blocks", "documents", "records", "transactions"):
        for index in range(len(true.payload[name])):
            story = true.copy()
            del story.payload[name][index]
            report = checked(tmp_path, story.bundle(), story.trust)
            assert report.exit_code == 6, (name, index, report.as_text())


def test_content_of_a_block_that_was_left_out_leaves_one_step_open_and_no_other(true: Story, tmp_path: Path) -> None:
    story = true.copy()
    for block in story.payload["blocks"]:
        block["data"] = None
    report = checked(tmp_path, story.bundle(), story.trust)
    assert {name for name, verdict in verdicts(report).items() if verdict != "VALID"} == {"included"}
    assert verdicts(report)["included"] == "SKIPPED"
    assert report.exit_code == 4


def test_a_trust_file_that_is_older_than_the_channels_configuration_is_an_error_and_no_accusation(
    true: Story, tmp_path: Path
) -> None:
    story = true.copy()
    story.consortium = copy.copy(story.consortium)
    from forge import b64, unb64

    block = story.payload["blocks"][0]
    data = [unb64(each) for each in block["data"]]
    story.payload["blocks"][0] = story.consortium.block(block["number"], data, configuration=3)
    assert b64(data[1]) == story.payload["transactions"][0]["envelope"]
    report = checked(tmp_path, story.bundle(), story.trust)
    assert verdicts(report)["ordered"] == "ERROR", report.as_text()
    assert report.exit_code == 4


def test_a_missing_file_a_missing_key_and_a_missing_configuration_leave_their_steps_open(
    true: Story, tmp_path: Path
) -> None:
    _, bundle, trust = written(tmp_path, true.bundle(), true.trust)
    assert verdicts(verify([], bundle, trust))["file"] == "SKIPPED"
    assert verdicts(verify([tmp_path / "none"], bundle, trust))["file"] == "ERROR"
    story = true.copy()
    story.trust["keys"] = []
    assert verdicts(checked(tmp_path, story.bundle(), story.trust))["post-quantum"] == "SKIPPED"
    story = true.copy()
    story.trust["configurations"][0]["block"] = 50
    report = checked(tmp_path, story.bundle(), story.trust)
    assert {verdicts(report)[name] for name in ("endorsed", "committed", "people", "ordered")} == {"ERROR"}
