"""Signatures of the venues' private requests, equal byte for byte to shared/venues/vectors/*.json.

*keyed* holds the primitives over one secret; one file per venue says what text is signed and where
the signature goes.  Texts come in already encoded, as they will be sent: nothing is encoded twice.
No key is ever printed: a signer's ``repr`` tells its venue alone.
"""
