"""``status [--json]``: what control knows about its engine, and what execution told of itself."""

import argparse
from dataclasses import dataclass

import msgspec

from engine.control.protocol import Status, StatusReply, encode
from engine.model.clock import SystemClock
from engine.model.errors import ConnectionLost, EngineError
from ops import client
from ops.attach import Engine
from ops.portfolio import Portfolio
from ops.portfolio_text import cents, summary_json, trading_text
from ops.table import columns
from ops.trading import TradingWord
from shm.segment import RunFolder


@dataclass(frozen=True, slots=True)
class Execution:
    """What shared memory says of execution; ``doubt``: why that may be the past."""

    portfolio: Portfolio | None
    trading: TradingWord
    doubt: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    client.add_name(parser)
    client.add_example(parser, "status", "status --name demo --json")


def run(options: argparse.Namespace) -> int:
    """Print the status; return 0 when the engine runs, 1 when it is halted or killed."""
    run = client.engine_of(options.name)
    reply = client.ask(run, Status())
    if not isinstance(reply, StatusReply):
        raise ConnectionLost(f"an unexpected reply: {reply}")
    execution = execution_of(run)
    print(json_of(reply, execution) if options.json else text_of(reply, execution))
    return 1 if reply.killed or reply.state == "halted" else 0


def execution_of(run: RunFolder) -> Execution | None:
    """Return what execution told, None where shared memory cannot be read."""
    try:
        with Engine(run, SystemClock()) as engine:
            portfolio = engine.portfolio()
            return Execution(portfolio, engine.trading, engine.doubt(portfolio))
    except EngineError:
        return None


def json_of(status: StatusReply, execution: Execution | None) -> str:
    """Write a status for a program: control's word, and under "execution" that of execution."""
    whole = msgspec.json.decode(encode(status), type=dict[str, object])
    if execution is not None:
        whole["trading_state"] = execution.trading.state.name.lower()
        whole["execution"] = {
            "doubt": execution.doubt, "who": execution.trading.who, "why": execution.trading.why,
            **(summary_json(execution.portfolio, execution.trading)
               if execution.portfolio else {})}
    return msgspec.json.encode(whole).decode()


def text_of(status: StatusReply, execution: Execution | None = None) -> str:
    """Write a status for a person."""
    trading = trading_text(execution.trading) if execution else f"trading {status.trading_state}"
    lines = [f"{status.name}: {status.state}, {trading}, {status.mode},"
             f" up {status.uptime_s:.0f} s, {status.folder}"]
    lines += _told(execution) if execution else []
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
    lines += ["", *columns(
        ("process", "pid", "state", "restarts", "beat ms", "rss MiB", "core", "last death"),
        processes)]
    venues = [(each.name, "yes" if each.enabled else "paused", f"{each.books_live}/{each.books}")
              for each in status.venues]
    lines += ["", *columns(("venue", "enabled", "books live"), venues)]
    strategies = [(each.name, "yes" if each.enabled else "paused") for each in status.strategies]
    return "\n".join([*lines, "", *columns(("strategy", "enabled"), strategies)])


def _told(execution: Execution) -> list[str]:
    """Return orders, profit and what is not ready, as execution told of them."""
    portfolio = execution.portfolio
    lines = [f"BEWARE: {execution.doubt}"] if execution.doubt else []
    if portfolio is None:
        return lines
    lines.append(
        f"account {portfolio.account}: orders {portfolio.order_count}, {portfolio.live_count} live,"
        f" {portfolio.unknown_count} in doubt; {portfolio.fill_count} fills; plans"
        f" {portfolio.plan_count}, {portfolio.open_plans} open; P&L today"
        f" {cents(portfolio.profit_day)}, total {cents(portfolio.profit)}; unhedged"
        f" {cents(portfolio.unhedged)}; equity {cents(portfolio.equity)}")
    lines += [f"no orders to {venue} now: {why}" for venue, why in portfolio.unready.items()]
    return lines
