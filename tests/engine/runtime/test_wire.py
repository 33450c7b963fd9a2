"""engine.runtime.wire: what arrives, what is refused, and that nobody waits."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from engine.model.errors import ConfigInvalid
from engine.runtime.wire import HIGH_WATER, MESSAGE_SIZE_MAX, Dealer, Publisher, Router, Subscriber

PATIENCE_MS = 5_000


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="w") as folder:  # short: a socket's path is bounded
        yield Path(folder) / "x.ipc"


def test_a_request_is_answered_to_who_asked(path: Path) -> None:
    router, first, second = Router(path), Dealer(path), Dealer(path)
    for dealer, body in ((first, b"one"), (second, b"two")):
        assert dealer.send(body)
        assert router.wait(PATIENCE_MS)
        received = router.receive()
        assert received is not None
        assert received[1] == body
        assert router.reply(received[0], body * 2)
        assert dealer.wait(PATIENCE_MS)
        assert dealer.receive() == body * 2
    assert router.receive() is None
    assert path.stat().st_mode & 0o777 == 0o600
    for socket in (router, first, second):
        socket.close()


def test_a_message_of_several_frames_is_no_request(path: Path) -> None:
    router = Router(path)
    stranger: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    stranger.connect(f"ipc://{path}")
    stranger.send_multipart([b"", b"{}"])
    assert router.wait(PATIENCE_MS)
    received = router.receive()
    assert received is not None
    assert received[1] == b""
    stranger.close(linger=0)
    router.close()


def test_an_oversized_message_ends_its_sender_and_not_the_server(path: Path) -> None:
    router, flooder, honest = Router(path), Dealer(path), Dealer(path)
    flooder.send(b"x" * (MESSAGE_SIZE_MAX + 1))
    honest.send(b"still there?")
    assert router.wait(PATIENCE_MS)
    received = router.receive()
    assert received is not None
    assert received[1] == b"still there?"
    assert router.receive() is None
    for socket in (router, flooder, honest):
        socket.close()


def test_only_records_of_the_same_prefix_arrive(path: Path) -> None:
    ours, other = Publisher(path, b"LAYOUT_1"), Subscriber(path, b"LAYOUT_2")
    same = Subscriber(path, b"LAYOUT_1")
    while not same.wait(10):  # a subscription takes a moment to reach the publisher
        ours.send(b"record")
    assert same.receive() == b"record"
    assert other.receive() is None
    for socket in (ours, other, same):
        socket.close()


def test_a_subscriber_that_does_not_read_costs_the_publisher_no_time(path: Path) -> None:
    publisher, subscriber = Publisher(path, b""), Subscriber(path, b"")
    while not subscriber.wait(10):
        publisher.send(b"first")
    record = b"x" * 60_000
    sent = 0
    while publisher.send(record):
        sent += 1
        assert sent < 100 * HIGH_WATER  # the queues are bounded, so this ends
    publisher.close()
    subscriber.close()


def test_a_path_too_long_for_a_socket_is_told_at_once() -> None:
    with pytest.raises(ConfigInvalid, match="longer than the 107 bytes"):
        Dealer(Path("/") / ("x" * 120))
