"""Execution: from a signal to filled, hedged, journaled and reconciled orders; it alone holds keys.

    signals ring ─┐
                  ├─ intake ─ appraisal ─▶ core ─▶ gate ─▶ journal ─▶ sender ─▶ seats ─▶ gateways
    ZeroMQ ───────┘                         ▲ │                                            │ ▲
    exec.ipc ─ door (operators) ────────────┘ ├─▶ portfolio (shared memory), fates         ▼ │
                                              └─▶ state, the fold of the journal         venues

    journal ─▶ ledger process ─▶ SQL          guard process: cancels where all this is dead

*process* is the process, *trader* one account whole, *accounts* whose keys they are and *admission*
what going live takes, *resolve* the config in integers.  *intake* takes signals, *core* decides,
*gate* allows, *journal* remembers *records*, *state* is what they make.  *seats* hold a gateway
per venue (*opening* chooses it by the mode): *gateways* speak to venues over the protocols of
*venues*, signed by *signing*; *paper* is the model of a venue.  *door* takes operators' commands
and obeys the kill word, *guard* is the watcher with connections of its own, *ledger* makes SQL of
the journal.
"""
