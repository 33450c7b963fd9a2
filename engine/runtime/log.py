"""structlog, set up once per process: JSON lines in rotated files, text on a person's console.

A log call renders its line, puts it on a bounded queue and returns; one thread writes.  When the
queue is full or the disk refuses, the line is dropped and counted, and the next line that gets
through says how many are missing.  Nothing that trades ever waits for a log.
"""

import os
import queue
import sys
import threading
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO, cast

import msgspec
import structlog

from engine.config import Logs
from engine.model.clock import Clock

QUEUE_MAX: Final = 4_096  # lines
CONSOLE_VARIABLE: Final = "TRYPTO_CONSOLE"  # "1": this process also writes text to stderr
_SECRET_WORDS: Final = ("secret", "password", "passphrase", "token", "api_key", "private_key",
                        "authorization", "signature", "credential")
_REDACTED: Final = "[redacted]"

Logger = structlog.typing.FilteringBoundLogger
Event = MutableMapping[str, Any]


def log_folder(engine: str, logs: Logs) -> Path:
    """Return where the logs of an engine go."""
    if logs.folder:
        return Path(logs.folder).expanduser()
    return state_folder(engine) / "log"


def state_folder(engine: str) -> Path:
    """Return where what an engine leaves behind lies, unless its config says otherwise."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    return state / "trypto-engine" / engine


class RotatedFile:
    """Append lines to ``path``; at ``size_max`` bytes it becomes ``path.1``, and so on."""

    def __init__(self, path: Path, *, size_max: int, files_max: int) -> None:
        self._path, self._size_max, self._files_max = path, size_max, files_max
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open()

    def _open(self) -> None:
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def write(self, lines: bytes) -> None:
        """Append; raise OSError where the disk refuses."""
        if self._size and self._size + len(lines) > self._size_max:
            self._rotate()
        self._size += os.write(self._descriptor, lines)

    def _rotate(self) -> None:
        os.close(self._descriptor)
        for number in range(self._files_max - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(
                f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        if self._files_max == 1:
            self._path.unlink()
        self._open()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class Writer:
    """The queue and its thread; ``dropped`` counts the lines that found no room."""

    def __init__(self, file: RotatedFile | None, console: TextIO | None) -> None:
        self.dropped = 0
        self._file, self._console = file, console
        self._queue: queue.SimpleQueue[tuple[bytes, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def put(self, line: bytes, text: str) -> None:
        """Hand over one line as JSON and as text, or drop and count it; never wait."""
        if self._queue.qsize() >= QUEUE_MAX:
            self.dropped += 1
        else:
            self._queue.put((line, text))

    def _write(self) -> None:
        said = 0
        while (item := self._queue.get()) is not None:
            line, text = item
            try:
                if self._file is not None:
                    if self.dropped != said:
                        line = b'{"event":"log lines dropped","total":%d}\n' % self.dropped + line
                        said = self.dropped
                    self._file.write(line)
                if self._console is not None:
                    self._console.write(text)
                    self._console.flush()
            except OSError:
                self.dropped += 1  # disk full, or nobody reads the console: not our business

    def close(self) -> None:
        """Write what is queued, but wait no longer than a second for it."""
        self._queue.put(None)
        self._thread.join(timeout=1.0)


def redact(event: Event) -> None:
    """Replace the value of every key that names a secret, in nested tables too."""
    for key, value in event.items():
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = _REDACTED
        elif isinstance(value, dict):
            event[key] = copy = dict(value)
            redact(copy)


def text_of(event: Event) -> str:
    """Return one event as a line for a person; nothing unprintable reaches the terminal."""
    stamp = time.strftime("%H:%M:%S", time.localtime(event["unix_ns"] // 1_000_000_000))
    rest = " ".join(
        f"{key}={value if value.isprintable() and ' ' not in value else repr(value)}"
        for key, value in ((key, str(value)) for key, value in event.items()
                           if key not in ("unix_ns", "level", "process", "run", "event"))
    )
    head = f"{stamp} {event['level']:7} {event['process']:16} {event['event']!s}"
    return f"{head} {rest}".rstrip() + "\n"


class _Sink:
    """What structlog calls at the end of the chain, under the name of each level."""

    def __init__(self, writer: Writer) -> None:
        self.msg = writer.put

    debug = info = warning = error = critical = property(lambda self: self.msg)


def open_log(
    *, process: str, run: int, engine: str, logs: Logs, clock: Clock
) -> tuple[Logger, Writer]:
    """Return this process's logger and the writer that must be closed at the end.

    Raises nothing for a folder that cannot be written: the console, if there is one, says so.
    """
    console = sys.stderr if os.environ.get(CONSOLE_VARIABLE) == "1" else None
    path = log_folder(engine, logs) / f"{process.replace(':', '-')}.jsonl"
    refused = ""
    try:
        file = RotatedFile(path, size_max=logs.file_mb_max << 20, files_max=logs.files_max)
    except OSError as error:
        file, refused = None, f"{path}: {error.strerror}"
    writer = Writer(file, console)

    def render(_logger: object, level: str, event: Event) -> tuple[tuple[bytes, str], Event]:
        whole: Event = {"unix_ns": clock.unix_ns(), "level": level, **event}
        redact(whole)
        line = msgspec.json.encode(whole, enc_hook=str) + b"\n"
        return (line, text_of(whole) if console else ""), {}

    levels = {"debug": 10, "info": 20, "warning": 30, "error": 40}
    logger = structlog.wrap_logger(
        _Sink(writer),
        processors=[structlog.processors.format_exc_info, render],
        wrapper_class=structlog.make_filtering_bound_logger(levels[logs.level]),
        context_class=dict, cache_logger_on_first_use=True,
    ).bind(process=process, run=run)
    if refused:
        logger.warning("no log file", reason=refused)
    return cast("Logger", logger), writer
