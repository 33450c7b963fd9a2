"""The ledger: what the journal says, as SQL rows, each exactly once.

    journal ─ records ─▶ fold ─ rows ─▶ writer ─ one transaction, with the position ─▶ SQLite
                                          verify: the same rows made anew, compared one by one

*fold* makes rows of records and knows no database; *writer* commits them together with the position
of the journal, so that a kill at any point repeats and loses nothing; *schema* holds the tables and
how older ones become new; *verify* proves that the rows follow from the journal.
"""
