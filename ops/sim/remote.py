"""``trypto-engine sim ACTION``: what is asked of simulated venues that run already.

They are found by their folder: that of an engine's run, or the one ``sim --folder`` was given.
"""

import argparse
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from engine.model.errors import ConfigInvalid, ConnectionLost, Refused
from engine.model.fault import SECONDS_MAX, Fault, Kind, parse
from engine.runtime.served import CA_FILE, FILE
from ops import client
from ops.sim.faces import FACES
from ops.sim.world import CREDENTIALS

TIMEOUT_S: Final = 5.0
EXAMPLES: Final = """examples:
  trypto-engine sim                                   five venues, until Ctrl-C
  trypto-engine sim --capture a.jsonl.gz --speed 10   recordings as the market
  trypto-engine sim venues                            which can be simulated
  trypto-engine sim endpoints                         where those of the running engine listen
  trypto-engine sim fault 'kraken:drop:0.05'          lose one frame in twenty
  trypto-engine sim fault '*:answer_lost:3x'          the next three orders go unanswered
  trypto-engine sim fault 'okx:halt#BTC/USDT' --for 30
  trypto-engine sim faults                            what stands, what struck
  trypto-engine sim lift '*' drop                     lift it; without a kind: all faults
  trypto-engine sim pause                             the market stands still; resume: it goes on
"""


class _Answer(msgspec.Struct):
    now_s: float
    standing: list[Fault]
    struck: dict[str, int]


class Remote:
    """The control calls of one running world."""

    def __init__(self, folder: Path) -> None:
        """Read where the venues in ``folder`` listen; raise Refused if none do."""
        try:
            read = (folder / FILE).read_bytes()
            self.endpoints = msgspec.json.decode(read, type=dict[str, dict[str, str]])
            self._root = next(iter(self.endpoints.values()))["rest"] + "/sim"
        except (OSError, msgspec.DecodeError, KeyError, StopIteration):
            raise Refused(f"no simulated venues run in {folder}: no {FILE} there") from None
        self._trust: ssl.SSLContext | None = None
        if self._root.startswith("https"):
            self._trust = ssl.create_default_context(cafile=str(folder / CA_FILE))

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """Make one call; raise Refused with what the world says, ConnectionLost if nothing."""
        request = urllib.request.Request(  # noqa: S310  an address of our own making
            self._root + path, method=method, data=msgspec.json.encode(body) if body else None)
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=TIMEOUT_S, context=self._trust
            ) as answer:
                said: bytes = answer.read()
                return said
        except urllib.error.HTTPError as error:
            said = error.read()
            raise Refused(json.loads(said).get("error", "")) from None
        except OSError as error:
            raise ConnectionLost(f"the simulated venues do not answer: {error}") from None

    def faults(self) -> _Answer:
        """Return what stands and what struck."""
        return msgspec.json.decode(self.call("GET", "/faults"), type=_Answer)


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="of venues that run")

    def add(word: str, text: str, action: Callable[[argparse.Namespace], int]
            ) -> argparse.ArgumentParser:
        added = actions.add_parser(
            word, help=text, description=text, epilog=EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        added.set_defaults(act=action)
        if action is not venues:
            client.add_name(added)
            added.add_argument("--folder", type=Path, metavar="D",
                               help="where their endpoints.json is, if no engine runs them")
        return added

    add("venues", "list the venues that can be simulated", venues)
    add("endpoints", "say where the venues listen, and where their API keys are", endpoints)
    add("faults", "say which faults stand and what struck so far", faults)
    injected = add("fault", "put faults in force", inject)
    injected.add_argument("spec", nargs="+", metavar="VENUE:KIND[:RATE][:MSms][:COUNTx][#SYMBOL]",
                          help="kinds: " + ", ".join(Kind))
    injected.add_argument("--for", type=float, dest="seconds", metavar="S",
                          help="lift them after S seconds (default: when told to)")
    lifted = add("lift", "lift faults", lift)
    lifted.add_argument("venue", help="a venue, or '*' for all")
    lifted.add_argument("kind", nargs="?", choices=[*Kind], metavar="KIND",
                        help="one kind (default: all)")
    add("pause", "let the market stand still", pause)
    add("resume", "let it go on", resume)


def venues(_options: argparse.Namespace) -> int:
    """Print the names that can be simulated."""
    print("\n".join(FACES))
    return 0


def endpoints(options: argparse.Namespace) -> int:
    """Print addresses and where the keys are."""
    folder = _folder(options)
    print(json.dumps(Remote(folder).endpoints, indent=1))
    print(f"API keys: {folder / CREDENTIALS}")
    return 0


def faults(options: argparse.Namespace) -> int:
    """Print what stands, one line each, then what struck."""
    said = Remote(_folder(options)).faults()
    for fault in said.standing:
        print(_written(fault, said.now_s))
    for name, times in sorted(said.struck.items()):
        print(f"struck {times:>8,} x {name}")
    if not said.standing and not said.struck:
        print("none stands, none struck")
    return 0


def inject(options: argparse.Namespace) -> int:
    """Put faults in force; none of them if one is wrong."""
    wanted = [parse(spec) for spec in options.spec]
    remote = Remote(_folder(options))
    if options.seconds is not None:
        if not 0 < options.seconds < SECONDS_MAX:
            raise ConfigInvalid(f"--for {options.seconds}: right would be seconds above 0")
        start_s = remote.faults().now_s
        for fault in wanted:
            fault.start_s = max(fault.start_s, start_s)
            fault.end_s = min(fault.end_s, fault.start_s + options.seconds)
    for fault in wanted:
        remote.call("POST", "/fault", fault)
    return 0


def lift(options: argparse.Namespace) -> int:
    """Lift faults and say how many."""
    kind = f"?kind={options.kind}" if options.kind else ""
    said = Remote(_folder(options)).call("DELETE", f"/fault/{quote(options.venue, safe='*')}{kind}")
    print(f"{json.loads(said)['lifted']} lifted")
    return 0


def pause(options: argparse.Namespace) -> int:
    """Let the market stand still."""
    Remote(_folder(options)).call("POST", "/pause")
    return 0


def resume(options: argparse.Namespace) -> int:
    """Let it go on."""
    Remote(_folder(options)).call("POST", "/resume")
    return 0


def _folder(options: argparse.Namespace) -> Path:
    folder: Path | None = options.folder
    return folder or client.engine_of(options.name).path


def _written(fault: Fault, now_s: float) -> str:
    """Write a fault as it could be given again, and what is left of its time."""
    symbol = f"#{fault.symbol}" if fault.symbol else ""
    count = f":{fault.count}x" if fault.count > 0 else ""
    spec = f"{fault.venue}:{fault.kind}:{fault.rate:g}:{fault.ms:g}ms{count}{symbol}"
    if fault.start_s > now_s:
        return f"{spec}, in {fault.start_s - now_s:.1f} s"
    return spec if fault.end_s == SECONDS_MAX else f"{spec}, {fault.end_s - now_s:.1f} s left"
