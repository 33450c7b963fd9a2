"""Execution: from a signal to filled, hedged, journaled and reconciled orders; it alone holds keys.

    signals ring ─┐
                  ├─ intake ─ appraisal ─▶ core ─▶ gate ─▶ journal ─▶ sender ─▶ seats ─▶ gateways
    ZeroMQ ───────┘                         ▲ │                                            │ ▲
    exec.ipc ─ door (operators) ────────────┘ ├─▶ portfolio (shared memory), fates         ▼ │
                                              └─▶ state, the fold of the journal         venues

    journal ─▶ ledger process ─▶ SQL          guard process: cancels where all this is dead

*process* is the process, *trader* one account whole, *accounts* whose keys they are, *resolve* the
config in integers.  *core* decides, *gate* allows, *journal* remembers, *state* (with *orders*,
*positions*, *outstanding*, *outcomes*) is what its *records* make.  *gateways* speak to venues over
the protocols of *venues*, signed by *signing*; *opening* chooses what sits in a seat by the mode,
*paper* is the model of a venue.  *door* takes operators' commands, *killing* obeys the kill word,
*guard* is the watcher with connections of its own, *ledger* turns the journal into SQL.
"""
