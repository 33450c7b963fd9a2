"""How long a gateway waits, and what it may do instead; times in ns."""

import msgspec

SECOND_NS = 1_000_000_000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One account's gateway."""

    answer_ns_max: int = 2 * SECOND_NS  # a place or cancel without an answer for so long is lost
    question_ns_max: int = 10 * SECOND_NS  # any other request
    rest_fallback: bool = True  # orders may go by REST while the orders channel is down
    clock_offset_ns_max: int = SECOND_NS  # Binance refuses what is a second ahead of its clock
    warm_every_ns: int = 10 * SECOND_NS  # a cheap request over REST, so that orders find it warm
    silence_ns_max: int = 30 * SECOND_NS  # on a channel, pongs to our pings included
    proof_ns_max: int = 10 * SECOND_NS  # from an open socket to a proven channel
    backoff_ns_min: int = SECOND_NS // 10
    backoff_ns_max: int = 15 * SECOND_NS
    goodbye_ns_max: int = 2 * SECOND_NS  # a close waits so long for answers about orders
    tick_s: float = 0.02
