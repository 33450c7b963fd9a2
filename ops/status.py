"""``status [--json]``: what control knows about its engine."""

import argparse
from collections.abc import Sequence

from engine.control.protocol import Status, StatusReply, encode
from engine.model.errors import ConnectionLost
from ops import client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    client.add_name(parser)


def run(options: argparse.Namespace) -> int:
    """Print the status; return 0 when the engine runs, 1 when it is halted or killed."""
    reply = client.ask(client.engine_of(options.name), Status())
    if not isinstance(reply, StatusReply):
        raise ConnectionLost(f"an unexpected reply: {reply}")
    print(encode(reply).decode() if options.json else text_of(reply))
    return 1 if reply.killed or reply.state == "halted" else 0


def text_of(status: StatusReply) -> str:
    """Write a status for a person."""
    head = (f"{status.name}: {status.state}, trading {status.trading_state}, {status.mode},"
            f" up {status.uptime_s:.0f} s, {status.folder}")
    lines = [head]
    if status.killed:
        lines.append(f"KILLED: {status.kill_reason}; take it back with: trypto-engine reset REASON")
    if status.halt_reason:
        lines.append(f"HALTED: {status.halt_reason}")
    paused = ["everything"] if status.paused else []
    paused += [venue.name for venue in status.venues if not venue.enabled]
    paused += [strategy.name for strategy in status.strategies if not strategy.enabled]
    paused += status.paused_symbols
    if paused:
        lines.append(f"paused: {', '.join(paused)}; take it back with: trypto-engine resume ...")
    processes = [
        (each.name, str(each.pid), each.state, str(each.restarts),
         f"{each.heartbeat_age_ms:.0f}" if each.heartbeat_age_ms >= 0 else "-",
         f"{each.rss_bytes / 2**20:.0f}", str(each.cpu) if each.cpu >= 0 else "-", each.verdict)
        for each in status.processes
    ]
    lines += ["", *_columns(
        ("process", "pid", "state", "restarts", "beat ms", "rss MiB", "core", "last death"),
        processes)]
    venues = [(each.name, "yes" if each.enabled else "paused", f"{each.books_live}/{each.books}")
              for each in status.venues]
    lines += ["", *_columns(("venue", "enabled", "books live"), venues)]
    strategies = [(each.name, "yes" if each.enabled else "paused") for each in status.strategies]
    return "\n".join([*lines, "", *_columns(("strategy", "enabled"), strategies)])


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Align rows below a head."""
    table = [head, *rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table]
