"""Faults of venues times kill -9 of every process of a real engine, then calm, then the auditor.

    ops.cli sim ── the outside world, its own process, never killed ─┬─ market, orders, truth
       ▲ faults by its control calls                                 │
       │                                                 plain WebSocket and REST on loopback
    campaign ──SIGKILL──▶ launcher, control, template, feeds, detector, exec, ...
       └─ reads the journal's bytes, the ledger, the portfolio ──▶ bench.auditor

The engine believes in real exchanges: no [sim] in its config, keys from files, going live confirmed
by the account's number.  So its books outlive every death, its launcher's too.
"""
