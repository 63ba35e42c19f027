"""Two backends on one batch give the answers of either, whatever happens to the wide one."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hash_backends import Breaking, Lying, Wide, digests, digests_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.hashing import Hashed, Source, UnreadableError
from ledger_node.hashing.cpu import HashlibBackend, best_cpu
from ledger_node.hashing.guard import Answer, Guarded
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.scheduler import TRUSTED_BATCHES, SlabLimits, TwoEnded, Way, Ways

SMALL = SlabLimits(wide_documents_min=4, wide_bytes_max=4096, cpu_documents_min=2, cpu_bytes_max=2048, bytes_min=256)


def contents(count: int, seed: int, size_max: int = 3000) -> list[bytes]:
    generator = random.Random(seed)
    return [generator.randbytes(generator.randrange(size_max)) for _ in range(count)]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 5000), max_size=120),
    wide_documents_min=st.integers(1, 20),
    bytes_max=st.integers(1, 20_000),
    cpu_documents_min=st.integers(1, 8),
    cpu_helps=st.booleans(),
)
def test_generated_batches_get_the_right_digests_in_their_order(
    sizes: list[int], wide_documents_min: int, bytes_max: int, cpu_documents_min: int, cpu_helps: bool
) -> None:
    documents = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    limits = SlabLimits(
        wide_documents_min=wide_documents_min,
        wide_bytes_max=bytes_max,
        cpu_documents_min=cpu_documents_min,
        cpu_bytes_max=bytes_max // 2 + 1,
        bytes_min=64,
        cpu_helps=cpu_helps,
    )
    both = TwoEnded(best_cpu(), Guarded(Wide()), limits)
    for _ in range(2):  # the second time with known rates
        assert digests(both.hash_batch(documents)) == digests_of(documents)


def test_both_backends_work_on_a_large_batch() -> None:
    documents = contents(3000, seed=1)
    both = TwoEnded(HashlibBackend(), Guarded(Wide()), SMALL)
    answers = both.hash_batch(documents)
    assert {answer.backend for answer in answers if isinstance(answer, Hashed)} == {"hashlib", "wide"}


def test_the_long_documents_go_to_the_cpu_and_the_short_ones_to_the_wide_backend() -> None:
    limits = SlabLimits(wide_documents_min=400, wide_bytes_max=4096, cpu_documents_min=2, cpu_bytes_max=2048)
    documents = contents(3000, seed=2)  # too few for trials: all of them are shared by both
    answers = TwoEnded(HashlibBackend(), Guarded(Wide()), limits).hash_batch(documents)
    sizes: dict[str, list[int]] = {"hashlib": [], "wide": []}
    for answer in answers:
        assert isinstance(answer, Hashed)
        sizes[answer.backend].append(answer.size_bytes)
    assert sizes["wide"]
    assert min(sizes["hashlib"], default=3000) >= max(sizes["wide"])


def test_the_answers_are_the_same_with_the_native_backend_as_the_wide_one() -> None:
    documents = contents(2000, seed=3)
    both = TwoEnded(HashlibBackend(), Guarded(best_cpu()), SMALL)
    assert digests(both.hash_batch(documents)) == digests_of(documents)


def test_a_small_batch_does_not_bother_the_wide_backend() -> None:
    wide = Wide()
    both = TwoEnded(HashlibBackend(), Guarded(wide), SlabLimits(wide_documents_min=512))
    answers = both.hash_batch(contents(511, seed=4))
    assert {answer.backend for answer in answers if isinstance(answer, Hashed)} == {"hashlib"}
    assert len(wide.batches) == 1  # the known answers


def test_streams_and_what_is_no_file_are_left_to_the_cpu(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"content")
    sources: list[Source] = [tmp_path, path, tmp_path / "missing", io.BytesIO(b"content")] * 4
    answers = TwoEnded(HashlibBackend(), Guarded(Wide()), SMALL).hash_batch(sources)
    names = [answer.backend if isinstance(answer, Hashed) else "unreadable" for answer in answers]
    assert names[0::4] == names[2::4] == ["unreadable"] * 4
    assert names[3::4] == ["hashlib"] * 4
    assert [isinstance(answer, UnreadableError) for answer in answers[1::4]] == [False] * 4


@pytest.mark.parametrize("at", range(1, 6))
def test_a_wide_backend_that_fails_in_the_middle_costs_no_answer(at: int) -> None:
    documents = contents(2000, seed=5)
    guarded = Guarded(Breaking(at))
    both = TwoEnded(HashlibBackend(), guarded, SMALL)
    assert digests(both.hash_batch(documents)) == digests_of(documents)
    assert guarded.lost != ""
    assert both.name == "hashlib"


def test_nothing_that_a_lying_backend_said_in_the_batch_of_its_discovery_is_kept() -> None:
    documents = contents(2000, seed=6)
    lying = Lying(1.0, seed=7)
    hasher = Hasher(HashlibBackend(), Guarded(lying), limits=SMALL)
    lying.begin()
    assert digests(hasher.hash_batch(documents)) == digests_of(documents)
    assert lying.wrong > 0
    assert hasher.status()["backend"] == "hashlib"


def test_eight_threads_share_one_hasher() -> None:
    hasher = Hasher(HashlibBackend(), Guarded(Wide()), limits=SMALL)
    found: dict[int, list[bytes | None]] = {}
    batches = {seed: contents(300, seed) for seed in range(8)}

    def run(seed: int) -> None:
        found[seed] = digests(hasher.hash_batch(batches[seed]))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {seed: digests_of(batch) for seed, batch in batches.items()}
    assert hasher.status()["documents"] == 8 * 300


def test_a_batch_of_nothing_is_nothing() -> None:
    empty: Sequence[Source] = []
    assert Hasher(HashlibBackend(), Guarded(Wide())).hash_batch(empty) == []


class Laborious(Wide):
    """Hashes everything many times over: slower than any other backend, whatever else the machine does."""

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        for _ in range(99):
            self._real.hash_batch(sources)
        return super().hash_batch(sources)


def test_a_wide_backend_that_is_slower_than_the_cpu_gets_trials_and_then_nothing() -> None:
    wide = Laborious()
    both = TwoEnded(HashlibBackend(), Guarded(wide), SMALL)
    documents = contents(2000, seed=8)
    assert digests(both.hash_batch(documents)) == digests_of(documents)
    tried = list(wide.batches)
    assert len(tried) > 1  # the known answers are the first
    assert sum(tried[1:]) < len(documents) // 8
    assert digests(both.hash_batch(documents)) == digests_of(documents)
    assert wide.batches == tried


def test_a_batch_that_the_cpu_is_known_to_hash_fastest_goes_to_it_as_it_came() -> None:
    cpu = Wide()
    both = TwoEnded(cpu, Guarded(Laborious()), SMALL)
    documents = contents(2000, seed=8)
    both.hash_batch(documents)
    before = len(cpu.batches)
    assert digests(both.hash_batch(documents)) == digests_of(documents)
    assert cpu.batches[before:] == [len(documents)]


def test_a_cpu_that_is_slower_than_the_wide_backend_gets_trials_and_then_nothing() -> None:
    cpu = Laborious()
    both = TwoEnded(cpu, Guarded(Wide()), SMALL)
    documents = contents(2000, seed=9)
    assert digests(both.hash_batch(documents)) == digests_of(documents)
    assert cpu.batches
    tried = list(cpu.batches)
    assert digests(both.hash_batch(documents)) == digests_of(documents)
    assert cpu.batches == tried


def test_every_way_is_tried_on_small_batches_one_after_the_other_and_then_the_fastest_is_used() -> None:
    ways = Ways()
    assert ways.fastest() is Way.BOTH
    assert ways.begin() == [Way.BOTH, Way.WIDE, Way.CPU]
    ways.note(Way.BOTH, 3.0)
    assert ways.begin() == [Way.WIDE, Way.CPU]
    ways.note(Way.WIDE, 5.0)
    ways.note(Way.CPU, 4.0)
    assert ways.begin() == []
    assert ways.fastest() is Way.WIDE
    ways.note(Way.WIDE, 1.0)
    assert ways.fastest() is Way.CPU  # 3 is the average of what the wide one showed


def test_the_slower_ways_are_tried_again_after_some_batches() -> None:
    ways = Ways()
    ways.begin()
    for way, rate in ((Way.BOTH, 3.0), (Way.WIDE, 2.0), (Way.CPU, 4.0)):
        ways.note(way, rate)
    for _ in range(TRUSTED_BATCHES - 1):
        assert ways.begin() == []
    assert ways.begin() == [Way.BOTH, Way.WIDE]
    assert ways.fastest() is Way.CPU


def test_both_together_must_gain_something_to_be_chosen() -> None:
    ways = Ways()
    for way, rate in ((Way.BOTH, 4.2), (Way.WIDE, 4.0), (Way.CPU, 1.0)):
        ways.note(way, rate)
    assert ways.fastest() is Way.WIDE
    ways.note(Way.BOTH, 5.0)
    assert ways.fastest() is Way.BOTH


def test_documents_of_different_lengths_are_judged_apart() -> None:
    cpu = Laborious()
    both = TwoEnded(cpu, Guarded(Wide()), SMALL)
    short, long = [bytes(100)] * 400, [bytes(20_000)] * 400
    both.hash_batch(short)
    tried = len(cpu.batches)
    both.hash_batch(long)
    assert len(cpu.batches) > tried
