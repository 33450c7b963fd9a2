"""An auditor that shares no code with execution: it reads the journal's bytes by itself.

    journal bytes ──▶ facts ──▶ fold (Decimal) ──┬─▶ moments: may this follow what stands?
                                                 └─▶ ends: does it agree with truth, ledger, screen?

``python -m bench.auditor FOLDER`` prints a table of the invariants of RELIABILITY section 3 and
the figures of the fault campaign.  ``tests/test_architecture.py`` proves that nothing of ``exec``
is imported here.
"""
