"""Whether orders may go to a venue: what must hold, in the order in which a lack is told."""

from typing import Final

from exec.gateways.codec import ORDERS, USER, Codec
from exec.gateways.offset import Offset
from exec.gateways.settings import Settings
from exec.gateways.socket import Channel

# A bar so short is the throttle's business: to be unready for it would bring a survey at its end,
# whose requests bring the next one.
SHORT_NS: Final = 20_000_000_000


class Readiness:
    """What a gateway knows of its venue besides orders."""

    def __init__(self, codec: Codec, channels: dict[str, Channel], settings: Settings) -> None:
        self._codec, self._channels, self._settings = codec, channels, settings
        self._orders = channels.get(ORDERS)
        self.offset = Offset()
        self.rest_answers = False  # by the last request that ended
        self.closing = False
        self._refused: dict[str, tuple[str, int]] = {}  # channel -> the venue's no, since when
        self._barred_until_ns = 0
        self._banned = False

    def refuse(self, channel: str, why: str, now_ns: int) -> None:
        """Take what the venue said on a channel as why it takes no orders; "" lifts all of that."""
        if why:
            self._refused[channel] = (why, now_ns)
        else:
            self._refused.clear()

    def accept(self, channel: str) -> None:
        """Take a channel as usable by the venue's word."""
        self._refused.pop(channel, None)

    def refused_for_ns(self, channel: str, now_ns: int) -> int:
        """Return for how long a refusal stands on a channel; 0: none does."""
        return now_ns - self._refused[channel][1] if channel in self._refused else 0

    def bar(self, now_ns: int, for_ns: int) -> None:
        """Let nothing leave for so long: the venue said so."""
        self._banned = self._banned or for_ns > SHORT_NS
        self._barred_until_ns = max(self._barred_until_ns, now_ns + for_ns)

    def barred(self, now_ns: int) -> bool:
        """Return whether nothing may leave now."""
        if now_ns < self._barred_until_ns:
            return True
        self._banned = False
        return False

    @property
    def orders_live(self) -> bool:
        """Return whether orders can go over their channel."""
        orders = self._orders
        return orders is not None and orders.live

    def lack(self, now_ns: int) -> str:
        """Return what is missing, "" if nothing is."""
        if self.closing:
            return "closing"
        if self.barred(now_ns) and self._banned:
            return "barred by the venue"
        for channel, (why, _) in self._refused.items():
            return f"{channel}: {why}"
        if not self._channels[USER].live:
            return "no user stream"
        by_rest = ORDERS not in self._channels or self._settings.rest_fallback
        if not self.orders_live and not (by_rest and self._rest_works):
            return "no way for orders"
        if self._codec.time_path and not self.offset.samples:
            return "the venue's clock is not known"
        off_ns = self.offset.beyond(self._settings.clock_offset_ns_max)
        return f"the venue's clock is {off_ns // 1_000_000_000:+d} s off" if off_ns else ""

    @property
    def _rest_works(self) -> bool:
        return self.rest_answers or not self._codec.time_path
