"""The same recorded messages through us and through three peers, one after another, one core.

    frame text ─▶ parse ─▶ apply to the full book          (we also publish to shared memory)

The peers are installed into ``.venv-peers``, an environment of their own; ``bench/peer.py`` says
what of each is called.  Every side starts from the same REST snapshots, with the collector off,
and must end with the same best ten levels of each book, or there is no result.

Ratios compare means over the messages, twice: of all rounds, and of each message's best round,
which is what remains where other programs share the cores.  The target is held against the
second.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.book import Books, depth_action, time_each
from bench.harness import machine, parameter, report
from bench.messages import ROOT, Messages, messages
from engine.model.quanta import from_quanta, plain

PINNED: Final = {"cryptofeed": "2.4.1", "ccxt": "4.5.90", "nautilus_trader": "1.221.0"}
TARGETS: Final = {"cryptofeed": 10, "ccxt": 10, "nautilus_trader": 30}  # times our mean, at least
_ENVIRONMENT: Final = ROOT / ".venv-peers"
_PYTHON: Final = _ENVIRONMENT / "bin" / "python"


def install() -> None:
    """Create the peers' environment unless it holds the pinned versions already."""
    wanted = [f"{name}=={version}" for name, version in PINNED.items()]
    marker = _ENVIRONMENT / "installed"
    if marker.is_file() and marker.read_text().split() == wanted:
        return
    print(f"installing {', '.join(wanted)} into {_ENVIRONMENT.name}", flush=True)
    venv.create(_ENVIRONMENT, with_pip=True, clear=True)
    pip = [str(_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *wanted], check=True)  # noqa: S603  (our own environment)
    marker.write_text("\n".join(wanted))


def ours(stream: Messages, rounds: int) -> tuple[list[list[int]], dict[str, Any]]:
    """Return ns per message of every round, and the best ten prices of each book."""
    took = []
    for _ in range(rounds):
        books = Books(stream)
        took.append(time_each(depth_action(books), stream.depth).tolist())
    top = {}
    for symbol, local in books.local.items():
        bid, _, ask, _ = books.publisher.books[local].top(10)
        top[symbol] = [
            [plain(from_quanta(int(price), 8)) for price in side] for side in (bid, ask)]
    return took, top


def peer(name: str, path: Path, rounds: int) -> dict[str, Any]:
    """Run one peer in its environment and return what ``bench/peer.py`` prints."""
    program = Path(__file__).with_name("peer.py")
    found = subprocess.run(  # noqa: S603  (our own program)
        [str(_PYTHON), str(program), name, str(path), str(rounds)], check=True,
        stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(found.stdout)
    return result


def tell(name: str, took: list[list[int]]) -> tuple[float, float]:
    """Report the rounds; return the mean of all, and of each message's best, in ns."""
    best = float(np.min(took, axis=0).mean())
    report(name, np.concatenate(took), best_mean_us=f"{best / 1e3:.3f}")
    return float(np.mean(took)), best


def main() -> int:
    """Print one line per library and the ratios; return 1 if a target is missed."""
    install()
    stream = messages()
    rounds = parameter("rounds", smoke=1, full=5)
    print(machine())
    print(f"{stream.source}: {len(stream.depth)} messages of {stream.levels_mean:.1f} levels")
    ours(stream, 1)  # warm
    took, top = ours(stream, rounds)
    mean, best = tell("ours, with publishing", took)
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "messages.json"
        path.write_text(json.dumps({
            "snapshots": {symbol: body.decode() for symbol, body in stream.snapshots.items()},
            "depth": [frame.decode() for frame in stream.depth]}))
        for name, target in TARGETS.items():
            result = peer(name, path, rounds)
            if result["top"] != top:
                print(f"{name}: ends with other books; no result")
                missed += 1
                continue
            times, times_best = (
                theirs / us for theirs, us in zip(
                    tell(f"{name} {result['version']}", result["took_ns"]), (mean, best),
                    strict=True))
            print(f"  {times:.1f} times our mean, {times_best:.1f} at best; target {target}")
            missed += times_best < target
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
