"""A backend is believed as long as hashlib agrees, and a mismatch only when hashlib finds it, too."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hash_backends import Breaking, Lying, Wide, digests, digests_of

from ledger_node.hashing import Hashed, Source, guard
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.guard import (
    SAMPLE_ONE_IN,
    Answer,
    BackendLost,
    Guarded,
    Sampler,
    Verdict,
    verify_batch,
)
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.scheduler import SlabLimits

WRONG_DIGESTS_MAX = 14_141  # as the module says
DOCUMENTS = [b"%d" % number for number in range(4096)]


def test_a_backend_that_does_not_know_the_known_answers_is_never_used() -> None:
    lying = Lying(1.0, seed=1)
    lying.begin()
    with pytest.raises(BackendLost, match="does not know the SHA-256 digest of a known document"):
        Guarded(lying)


def test_the_documented_bound_is_what_the_sampling_gives() -> None:
    assert math.ceil(math.log(1e-6) / math.log(1 - 1 / SAMPLE_ONE_IN)) == WRONG_DIGESTS_MAX
    assert f"after {WRONG_DIGESTS_MAX:,} ".replace(",", " ") in (guard.__doc__ or "")


@pytest.mark.parametrize(("part", "seed"), [(0.5, 2), (0.1, 3)])
def test_wrong_digests_at_random_places_are_noticed_within_the_documented_bound(part: float, seed: int) -> None:
    lying = Lying(part, seed)
    guarded = Guarded(lying)
    lying.begin()
    while lying.wrong < WRONG_DIGESTS_MAX:
        try:
            guarded.hash_batch(DOCUMENTS)
        except BackendLost:
            break
    assert guarded.lost.startswith("wide is not used any more: ")
    with pytest.raises(BackendLost):
        guarded.hash_batch([b"once more"])


def test_a_backend_that_spoils_every_digest_is_noticed_in_its_first_slab() -> None:
    lying = Lying(1.0, seed=4)
    guarded = Guarded(lying)
    lying.begin()
    with pytest.raises(BackendLost):
        guarded.hash_batch([b"the only document"])


def test_an_honest_backend_is_never_dropped() -> None:
    guarded = Guarded(Wide())
    for _ in range(4):
        assert digests(guarded.hash_batch(DOCUMENTS)) == digests_of(DOCUMENTS)
    assert guarded.lost == ""
    assert guarded.checked >= 4


def test_a_backend_that_fails_once_is_dropped_for_good() -> None:
    breaking = Breaking(at=1)
    guarded = Guarded(breaking)
    with pytest.raises(BackendLost, match="fell off the bus"):
        guarded.hash_batch([b"x"])
    with pytest.raises(BackendLost):
        guarded.hash_batch([b"x"])
    assert len(breaking.batches) == 2


def test_every_document_is_sampled_with_the_same_probability_whatever_the_batches() -> None:
    sampler, picked = Sampler(), 0
    places = [0] * 8
    for _ in range(50_000):
        for place in sampler.pick(8):
            places[place] += 1
            picked += 1
    # 390.6 are expected in all, 48.8 at each place; six standard deviations are allowed.
    assert 270 < picked < 511
    assert all(6 < count < 92 for count in places)


def test_a_file_that_changes_while_it_is_hashed_is_no_evidence_against_the_backend(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"before")

    class Slow(Wide):
        def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
            answers = super().hash_batch(sources)
            path.write_bytes(b"something else")
            return answers

    guarded = Guarded(Slow())
    path.write_bytes(b"before")
    guarded.hash_batch([path])
    assert guarded.lost == ""


def wrong_answers(sources: Sequence[Source]) -> list[Answer]:
    return [Hashed(b"\1" * 32, 3, "wide") for _ in sources]


def test_a_mismatch_that_hashlib_does_not_find_is_no_mismatch(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"abc")
    expected = hashlib.sha256(b"abc").digest()
    checks, disputed = verify_batch(wrong_answers, [(path, expected), (b"abc", expected)])
    assert [check.verdict for check in checks] == [Verdict.VERIFIED, Verdict.VERIFIED]
    assert disputed == ["wide"]  # for the buffer: the file was written a moment ago, so it may have changed


def test_a_mismatch_is_reported_with_what_hashlib_found() -> None:
    expected = hashlib.sha256(b"abd").digest()
    (check,), disputed = verify_batch(HashlibBackend().hash_batch, [(b"abc", expected)])
    assert check.verdict is Verdict.MISMATCH
    assert check.answer == Hashed(hashlib.sha256(b"abc").digest(), 3, "hashlib")
    assert check.expected == expected
    assert disputed == []


def test_what_cannot_be_read_is_unavailable_and_no_mismatch(tmp_path: Path) -> None:
    (check,), _ = verify_batch(HashlibBackend().hash_batch, [(tmp_path / "missing", bytes(32))])
    assert check.verdict is Verdict.UNAVAILABLE


def test_a_stream_that_does_not_match_is_not_read_again() -> None:
    (check,), disputed = verify_batch(HashlibBackend().hash_batch, [(io.BytesIO(b"abd"), bytes(32))])
    assert (check.verdict, disputed) == (Verdict.MISMATCH, [])


def test_a_wide_backend_whose_mismatch_hashlib_does_not_find_is_dropped() -> None:
    lying = Lying(0.002, seed=5)
    hasher = Hasher(HashlibBackend(), Guarded(lying), limits=SlabLimits(wide_documents_min=1, cpu_helps=False))
    lying.begin()
    pairs: list[tuple[Source, bytes]] = list(zip(DOCUMENTS, digests_of(DOCUMENTS), strict=True))
    checks = hasher.verify_batch(pairs)
    assert lying.wrong > 0
    assert {check.verdict for check in checks} == {Verdict.VERIFIED}
    assert hasher.status()["gpu"]["lost"] != ""
