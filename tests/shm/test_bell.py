"""Doorbells: no ring is lost, and only a sleeper costs a system call."""

import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from shm.bell import (
    SLEEPING,
    FifoBell,
    FifoRinger,
    WaitStrategy,
    bell_rings,
    ring_bell,
    wait_bell,
)
from shm.board import ControlView
from shm.layout import BELL, Bell
from shm.segment import RunFolder, Segment

ROOT = Path(__file__).resolve().parents[2]
MINUTE_NS = 60_000_000_000
ROUNDS = 3_000
# the child answers each ring of bell 0 with one of bell 1; a wait that times out ends it
ANSWER = """
import sys
from pathlib import Path
from shm.bell import ring_bell, wait_bell
from shm.board import ControlView
from shm.segment import RunFolder, Segment
folder, strategy, rounds = RunFolder(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
view = ControlView(Segment.attach(folder, "control", writable=True).words)
asks, answers, seen = view.bell(0), view.bell(1), 0
for _ in range(rounds):
    rings = wait_bell(view.words, asks, seen, strategy, 60_000_000_000)
    assert rings == seen + 1, (rings, seen)
    seen = rings
    ring_bell(view.words, answers)
"""


@pytest.fixture
def bell() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.zeros(BELL.itemsize // 8, np.int64)


@pytest.mark.parametrize("strategy", WaitStrategy)
def test_a_bell_already_rung_is_not_waited_for(
    bell: np.ndarray[tuple[int], np.dtype[np.int64]], strategy: WaitStrategy
) -> None:
    assert ring_bell(bell, 0) == 0
    assert ring_bell(bell, 0) == 0
    assert wait_bell(bell, 0, 0, strategy, MINUTE_NS) == 2
    assert bell_rings(bell, 0) == 2


@pytest.mark.parametrize("strategy", WaitStrategy)
def test_a_wait_that_nobody_ends_returns_what_was_seen_after_its_time(
    bell: np.ndarray[tuple[int], np.dtype[np.int64]], strategy: WaitStrategy
) -> None:
    ring_bell(bell, 0)
    before = time.monotonic_ns()
    assert wait_bell(bell, 0, 1, strategy, 2_000_000) == 1
    assert time.monotonic_ns() - before >= 2_000_000
    assert bell[SLEEPING] == 0


@pytest.mark.parametrize("timeout_ns", [0, -1])
def test_a_wait_without_time_only_looks(
    bell: np.ndarray[tuple[int], np.dtype[np.int64]], timeout_ns: int
) -> None:
    assert wait_bell(bell, 0, 0, WaitStrategy.PARK, timeout_ns) == 0


def test_a_sleeper_is_woken_by_the_producer_that_finds_it_asleep(
    bell: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    seen: list[int] = []
    sleeper = threading.Thread(
        target=lambda: seen.append(wait_bell(bell, 0, 0, WaitStrategy.PARK, MINUTE_NS))
    )
    sleeper.start()
    while bell[SLEEPING] == 0:
        pass
    assert ring_bell(bell, 0) == 1
    sleeper.join()
    assert seen == [1]
    assert ring_bell(bell, 0) == 0  # nobody sleeps any more: no system call


@pytest.mark.parametrize("strategy", WaitStrategy)
def test_two_processes_that_wait_for_each_other_never_lose_a_ring(
    tmp_path: Path, strategy: WaitStrategy
) -> None:
    folder = RunFolder(tmp_path / "trypto-0" / "run")
    folder.create()
    segment = Segment.create(folder, "control", "control", ControlView.SIZE, 1, 1)
    segment.publish()
    view = ControlView(segment.words)
    asks, answers, seen = view.bell(Bell.DETECTOR), view.bell(Bell.EXEC), 0
    rounds = ROUNDS if strategy is WaitStrategy.PARK else ROUNDS // 10
    arguments = [str(folder.path), str(int(strategy)), str(rounds)]
    with subprocess.Popen([sys.executable, "-c", ANSWER, *arguments], cwd=ROOT) as child:
        for _ in range(rounds):
            ring_bell(view.words, asks)
            rings = wait_bell(view.words, answers, seen, strategy, MINUTE_NS)
            assert rings == seen + 1
            seen = rings
    assert child.returncode == 0
    assert bell_rings(view.words, asks) == rounds


def test_a_consumer_killed_asleep_costs_system_calls_only_until_its_successor_waits(
    bell: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    bell[SLEEPING] = 1  # what it left behind
    assert ring_bell(bell, 0) == 1
    assert wait_bell(bell, 0, 0, WaitStrategy.PARK, MINUTE_NS) == 1  # its successor
    assert ring_bell(bell, 0) == 0


# ---------------------------------------------------------------- by FIFO
@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    folder = RunFolder(tmp_path / "trypto-0" / "run")
    folder.create()
    return folder.make_fifo("exec.bell")


def _is_readable(bell: FifoBell) -> bool:
    return bool(select.select([bell.fileno()], [], [], 0)[0])


def test_a_byte_comes_only_to_a_consumer_that_said_it_sleeps(
    fifo: Path, bell: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> None:
    consumer, producer = FifoBell(fifo, bell, 0), FifoRinger(fifo, bell, 0)
    producer.ring()
    assert not _is_readable(consumer)
    assert consumer.arm(1)
    producer.ring()
    producer.ring()
    assert _is_readable(consumer)
    assert consumer.disarm() == 3
    assert not _is_readable(consumer)
    producer.ring()
    assert not _is_readable(consumer)
    consumer.close()
    producer.close()


def test_a_ring_between_the_work_and_the_sleep_is_told_when_arming(
    fifo: Path, bell: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> None:
    consumer, producer = FifoBell(fifo, bell, 0), FifoRinger(fifo, bell, 0)
    rings = consumer.disarm()
    producer.ring()
    assert not consumer.arm(rings)
    assert bell[SLEEPING] == 0
    assert consumer.arm(rings + 1)
    consumer.close()
    producer.close()


def test_producers_neither_block_nor_fail_while_the_consumer_is_dead(
    fifo: Path, bell: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> None:
    consumer, producer = FifoBell(fifo, bell, 0), FifoRinger(fifo, bell, 0)
    assert consumer.arm(0)
    consumer.close()  # as by kill -9: asleep for ever
    for _ in range(70_000):  # more bytes than a FIFO holds
        producer.ring()
    successor = FifoBell(fifo, bell, 0)
    assert _is_readable(successor)
    rings = successor.disarm()
    assert rings == 70_000
    assert successor.arm(rings)
    assert not _is_readable(successor)
    producer.ring()
    assert _is_readable(successor)
    successor.close()
    producer.close()
