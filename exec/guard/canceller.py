"""One venue, cancelled by REST alone: cancel-all, then the list of open orders as the proof.

Twice: what execution had sent just before it died may reach the venue until its own deadline has
passed, so the second proof counts.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from engine.model.clock import Clock
from engine.model.errors import ConnectionLost, DecodeError, EngineError
from engine.runtime.log import Logger
from engine.runtime.served import tls_context
from exec.core import ports as p
from exec.gateways.codec import REST, Answer, Codec, Outcome, Request
from exec.gateways.endpoints import Endpoints
from exec.gateways.rest import Rest, Withheld

ANSWER_S_MAX: Final = 5.0
REQUESTS_MAX: Final = 500  # of one round
SINCE_NS: Final = 1_000_000_000  # of the survey's fills: they are nothing to us
BACKOFF_S_MIN: Final = 0.25
BACKOFF_S_MAX: Final = 8.0
PAUSE_S: Final = {429: 2.0, 418: 120.0}

Make = Callable[[], tuple[Codec, Endpoints]]


class Failed(ConnectionLost):
    """A round did not end in a proof; ``wait_s``: the venue asked for patience."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Canceller:
    """Cancels everything of one account at one venue."""

    def __init__(
        self, venue: str, make: Make, proof_after_s: float, clock: Clock, say: Logger,
        sent: Callable[[], None],
    ) -> None:
        """``make`` opens the venue's protocol for one round; ``proof_after_s``: between proofs.

        ``sent`` is told of each request that leaves.
        """
        self.venue, self._make, self._proof_after_s = venue, make, proof_after_s
        self._clock, self._say, self._sent = clock, say, sent

    async def run(self, may_act: Callable[[], bool]) -> bool:
        """Cancel until two proofs are there; return False as soon as ``may_act`` says no more."""
        proofs, wait_s = 0, BACKOFF_S_MIN
        while proofs < 2:
            if not may_act():
                return False
            pause_s = self._proof_after_s
            try:
                await self._round(may_act)
                proofs, wait_s = proofs + 1, BACKOFF_S_MIN
                self._say.warning("nothing rests", venue=self.venue, proofs=proofs)
            except Failed as failed:
                pause_s = max(wait_s, failed.wait_s)
                wait_s = min(2 * wait_s, BACKOFF_S_MAX)
                self._say.error("not cancelled yet", venue=self.venue, reason=str(failed))
            if proofs < 2:
                await asyncio.sleep(pause_s)
        return True

    async def _round(self, may_act: Callable[[], bool]) -> None:
        """Cancel everything, then demand an empty list of open orders; raise Failed otherwise."""
        try:
            codec, at = self._make()
        except (EngineError, OSError, ValueError) as error:
            raise Failed(f"{type(error).__name__}: {error}") from None
        rest = Rest(at.rest_url, tls=tls_context(at.ca_file), in_order=codec.rest_in_order)
        await rest.open()
        try:
            await self._say_all(codec, rest, codec.cancel_all(self._clock.unix_ns()), may_act)
            now_ns = self._clock.unix_ns()
            reports = await self._say_all(
                codec, rest, codec.survey(now_ns - SINCE_NS, now_ns), may_act)
        finally:
            await rest.close()
        lists = [each for each in reports if isinstance(each, p.Listing)]
        failed = next((each.failed for each in lists if each.failed), "")
        if failed or not lists:
            raise Failed(f"open orders are not known: {failed or 'no list came'}")
        count = sum(len(each.orders) for each in lists)
        if count:
            raise Failed(f"{count} orders are open still")

    async def _say_all(
        self, codec: Codec, rest: Rest, requests: Sequence[Request], may_act: Callable[[], bool]
    ) -> list[p.Report]:
        """Send requests, and all that follow from their answers; return what was reported."""
        waiting, reports = [*requests], list[p.Report]()
        for _ in range(REQUESTS_MAX):
            waiting = [each for each in waiting if each.channel == REST]
            if not waiting:
                return reports
            request = waiting.pop(0)
            outcome = await self._ask(codec, rest, request, may_act)
            lost = next((each for each in outcome.reports if isinstance(each, p.Lost)), None)
            if lost is not None and not (request.purpose == "cancel_all" and lost.client_id):
                raise Failed(f"{request.purpose}: {lost.why}")
            reports += outcome.reports
            waiting += outcome.requests
        raise Failed(f"more than {REQUESTS_MAX} requests")

    async def _ask(
        self, codec: Codec, rest: Rest, request: Request, may_act: Callable[[], bool]
    ) -> Outcome:
        asked_ns = self._clock.unix_ns()
        self._sent()
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                answer = await rest.ask(request, may_act)
            if answer.status in PAUSE_S or answer.status >= 500:
                raise Failed(f"{request.purpose}: HTTP {answer.status}", _wait_s(answer))
            return codec.answer(request, answer, asked_ns)
        except Withheld as error:
            raise Failed(f"{request.purpose}: {error}") from None
        except (ConnectionLost, DecodeError, TimeoutError) as error:
            if isinstance(error, Failed):
                raise
            raise Failed(f"{request.purpose}: {type(error).__name__} {error}") from None


def _wait_s(answer: Answer) -> float:
    after = answer.headers.get("retry-after", "")
    told = float(after[:6]) if after.isdecimal() else 0.0
    return max(told, PAUSE_S.get(answer.status, 0.0))
