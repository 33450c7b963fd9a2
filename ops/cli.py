"""``trypto-engine VERB``: finds the verb's module, which has add_arguments() and run() -> status.

Exit status: 0 done, 1 failed, 2 wrong usage or wrong input.  Only the verb asked for is imported.
"""

import argparse
import importlib
import sys
from typing import Final

from engine.model.errors import CaptureInvalid, ConfigInvalid, EngineError, UnknownInstrument

VERBS: Final = {
    "start": ("ops.start", "run the engine in the foreground; Ctrl-C stops it"),
    "stop": ("ops.stop", "stop a running engine"),
    "status": ("ops.status", "say how a running engine is"),
    "top": ("ops.top", "watch a running engine, straight from shared memory"),
    "monitor": ("ops.monitor", "watch orders, positions and profit, straight from shared memory"),
    "orders": ("ops.orders", "list live orders, or the newest of all, even if execution hangs"),
    "positions": ("ops.positions", "list positions, even if execution hangs"),
    "balances": ("ops.balances", "list balances, even if execution hangs"),
    "pause": ("ops.pause", "emit no signals: of all, one venue, one symbol or one strategy"),
    "resume": ("ops.resume", "take back a pause"),
    "kill": ("ops.kill", "let nothing leave execution any more, until a reset"),
    "reset": ("ops.reset", "take back a kill or a halt, and start what was given up"),
    "place": ("ops.place", "place one order by hand; the gate judges it as every other"),
    "cancel": ("ops.cancel", "cancel one order, by the number that `orders` shows"),
    "cancel-all": ("ops.cancel_all", "cancel everything, at every venue or at one"),
    "flatten": ("ops.flatten", "cancel everything, then trade back what trading moved"),
    "journal": ("ops.journal", "print execution's journal, or prove that it is whole"),
    "ledger": ("ops.ledger", "what was seen, ordered, filled, traded and held; or its proof"),
    "pnl": ("ops.pnl", "profit and loss, expected and realised, with what it cost"),
    "replay": ("ops.replay", "send recorded frames through the feeds' code, without a network"),
    "sim": ("ops.sim.command", "run the local venue servers alone"),
}
WRONG_INPUT: Final = (ConfigInvalid, CaptureInvalid, UnknownInstrument)


def _parser() -> argparse.ArgumentParser:
    verbs = "\n".join(f"  {verb:10} {text}" for verb, (_, text) in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="trypto-engine", usage="trypto-engine VERB [options]",
        description=f"order books in shared memory, arbitrage in microseconds\n\nverbs:\n{verbs}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="trypto-engine VERB --help says more.",
    )
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help="what to do, see above")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return the exit status.  What was expected to go wrong takes one line."""
    words = sys.argv[1:] if arguments is None else arguments
    verb = _parser().parse_args(words[:1]).verb
    module_name, text = VERBS[verb]
    try:
        module = importlib.import_module(module_name)
        parser = argparse.ArgumentParser(prog=f"trypto-engine {verb}", description=text)
        module.add_arguments(parser)
        return int(module.run(parser.parse_args(words[1:])))
    except EngineError as error:
        print(f"trypto-engine {verb}: {error}", file=sys.stderr)
        return 2 if isinstance(error, WRONG_INPUT) else 1
    except BrokenPipeError:  # whoever read our output has enough
        sys.stderr.close()
        return 1
    except OSError as error:  # the machine refuses: no space, no permission, something in the way
        print(f"trypto-engine {verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1


if __name__ == "__main__":
    sys.exit(main())
