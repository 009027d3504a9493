"""Reads, meters and settles the results of batches.

This happens once, whether the client or softix itself is the first to read them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from softix_proxy.dialects import batches as batch_format
from softix_proxy.dialects.batches import BatchItem, BatchItemResult, BatchProgress
from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.core.classification import classify
from softix_proxy.dialects.registry import ENDPOINTS, HEADERS
from softix_proxy.domain.catalog.providers import ProviderStatus
from softix_proxy.domain.core.clock import SECOND_US, Clock
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.admission import Intent
from softix_proxy.domain.metering.batches import Batch, BatchFamily, KeptFile, OpenLine
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.text_tokens import sample
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest, UpstreamResponse
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.relay.batch.provider_account import Account
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.settlement.charge import HoldTerms, charge
from softix_proxy.relay.settlement.hold import above_hold
from softix_proxy.relay.settlement.metered import answer_tokens
from softix_proxy.relay.settlement.observed import Observed

log = logging.getLogger("softix.relay")
T = TypeVar("T")
_AT_ONCE = 256
_MOST_ANSWER_BYTES = 64 * 1024 * 1024
GONE = (404, 410)
"""The statuses by which a provider says that it does not have an object any more."""
_YOUNG_US = 3600 * SECOND_US
"""The age below which a batch may still become known. A new batch, or its results, can be unknown at the provider."""
_GOOD = 300
_SPEC = RequestSpec("")
_SPECS = {
    "embeddings": RequestSpec("", max_output_tokens=0),
    "moderations": RequestSpec("", max_output_tokens=0),
    "completions": RequestSpec("", echoes=True, reads_nothing=True),
}
"""The facts about a request that decide whether its report can be true, as far as its endpoint shows them."""
_OWN_HEADERS = (("accept-encoding", "identity"),)


class _Silent(NamedTuple):
    """A line whose response reports no usage."""

    line: OpenLine
    observed: Observed


@dataclass(slots=True)
class Results:
    """Collects the results of batches and charges for them."""

    lifecycle: Lifecycle
    storage: Storage
    _locks: dict[int, asyncio.Lock] = field(default_factory=dict)
    """The locks of the batches whose results are being read."""

    @property
    def clock(self) -> Clock:
        return self.lifecycle.clock

    def account_of(self, provider_id: int, label: str) -> Account | None:
        """Returns the account, or None if the provider was removed."""
        provider = self.lifecycle.directory.current.providers.get(provider_id)
        if provider is None or provider.status is ProviderStatus.REMOVED:
            return None
        return Account.of(provider, label)

    async def collect(self, batch: Batch) -> bool:
        """Meters the results of a batch and returns True, or False if it has not ended.

        Raises ProviderFault, FailureError.
        """
        lock = self._locks.setdefault(batch.id, asyncio.Lock())
        try:
            async with lock:
                known = await self.storage.reading().batches.get(batch.id)
                if known is None or known.metered_at_us is not None:
                    return True
                account = self.account_of(batch.provider_id, batch.provider_key)
                if account is None:
                    await self._finish(batch, lost=True)
                    return True
                return await self._collect(batch, account)
        finally:
            if not lock.locked():
                self._locks.pop(batch.id, None)

    async def _collect(self, batch: Batch, account: Account) -> bool:
        path = f"{folder_of(batch.family)}/{batch.remote_id}"
        exchange, answer = await self.whole(self.own_call(batch.key_id, account, path))
        if self._gone(batch, exchange):
            await self._finish(batch, lost=True)
            return True
        progress = batch_format.read_progress(answer)
        if progress is None or progress.remote_id is None:
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        if not progress.ended:
            return False
        await self.note_files(batch, progress)
        places = [f"{batch_format.FILES}/{name}/content" for name in progress.files]
        places += [f"{path}/results"] if progress.has_results else []
        silent: dict[str, _Silent] = {}
        found = [await self._meter(batch, self.own_call(batch.key_id, account, place), silent) for place in places]
        await self._estimate(batch, account, progress.input_file, silent)
        copy = progress.input_file
        if batch.input_file is not None and copy is not None and copy != batch.input_file:
            await self.remove_copy(batch.key_id, account, copy)
        answered = sum(count for count in found if count is not None)
        await self._finish(batch, lost=None in found or answered < progress.answered)
        return True

    def _gone(self, batch: Batch, exchange: UpstreamResponse) -> bool:
        """Returns whether the batch is gone for good.

        Raises ProviderFault if it may not be, and for any other refusal.
        """
        gone = exchange.status in GONE and self.clock.now_us() - batch.created_at_us >= _YOUNG_US
        if exchange.status >= 300 and not gone:
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        return gone

    async def _meter(self, batch: Batch, call: UpstreamRequest, silent: dict[str, _Silent]) -> int | None:
        """Settles what these results report. Returns the number of their responses, or None if the results are gone.

        Responses that report no usage go to `silent`, by their custom id.
        """
        answered: set[str] = set()
        exchange = await self.lifecycle.upstream.send(call, _nothing)
        try:
            if self._gone(batch, exchange):
                await exchange.read(_MOST_ANSWER_BYTES)
                return None
            lines = {line.custom_id: line for line in await self.storage.reading().batches.open_lines(batch.id)}
            settlements: list[Settlement] = []
            async for text in _lines(exchange):
                outcome = batch_format.read_outcome(text)
                if outcome is not None and outcome.answered:
                    answered.add(outcome.custom_id)
                line = lines.pop(outcome.custom_id, None) if outcome is not None else None
                if outcome is None or line is None:
                    continue
                told = self._told(line, outcome)
                if isinstance(told, _Silent):
                    silent[outcome.custom_id] = told
                    continue
                settlements.append(told)
                if len(settlements) >= _AT_ONCE:
                    await self.settle(settlements)
                    settlements = []
            await self.settle(settlements)
        finally:
            exchange.release()
        return len(answered)

    async def note_files(self, batch: Batch, progress: BatchProgress) -> None:
        """Records the owner of the files with the results."""
        if not progress.files:
            return
        async with self.storage.writing() as unit:
            for name in progress.files:
                await unit.batches.keep_file(
                    KeptFile(
                        provider_id=batch.provider_id,
                        provider_key=batch.provider_key,
                        user_id=batch.user_id,
                        key_id=batch.key_id,
                        remote_id=name,
                        created_at_us=batch.created_at_us,  # they are as old as their batch, whenever it is looked at
                        batch_id=batch.id,
                    )
                )

    async def _finish(self, batch: Batch, *, lost: bool) -> None:
        """Settles the lines that are still open. They were never run, unless responses of the provider are lost.

        If the provider gave responses that are missing, nobody knows what it did.
        """
        rest = await self.storage.reading().batches.open_lines(batch.id)
        await self.settle([self.unknown(line, "lost", 404) if lost else self._not_run(line) for line in rest])
        async with self.storage.writing() as unit:
            await unit.batches.finish(batch.id, self.clock.now_us())

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        for some in slices(settlements):
            settled = await asyncio.gather(*(self.lifecycle.journal.settle(settlement) for settlement in some))
            for settlement, posted in zip(some, settled, strict=True):
                above = settlement.charge_pico > settlement.hold_pico
                self._count(above_hold(settlement, posted) if above else settlement)

    def _count(self, settlement: Settlement) -> None:
        directory, intent = self.lifecycle.directory.current, settlement.intent
        model = directory.models.get(intent.model_id)
        provider = None if model is None else directory.providers.get(model.provider_id)
        if model is not None and provider is not None:
            self.lifecycle.telemetry.opened(settlement.hold_pico)
            self.lifecycle.telemetry.finished(settlement, provider.name, model.name)

    def _told(self, line: OpenLine, outcome: BatchItemResult) -> Settlement | _Silent:
        """Returns the settlement of a line by the rule for requests, or the line if its response reports no usage."""
        if outcome.answer is None:
            return self._not_run(line, outcome.status_code)
        endpoint, spec = ENDPOINTS.get(line.intent.endpoint), _spec_of(line)
        found = classify(outcome.status_code, (), outcome.answer, endpoint)
        metered = endpoint is not None and endpoint.metered
        charged = metered and found.worked
        observed = Observed(
            started=True,
            complete=True,
            refused=not found.worked,
            report=found.report,
            seen_tokens=answer_tokens(found.report, outcome.answer, spec) if charged else 0,
            request_bytes=None,
            status_code=found.status,
            error=found.error,
            latency_ms=self._took_ms(line),
        )
        if charged and found.report is None:
            return _Silent(line, observed)
        return self._charge(line, observed, spec, metered=metered)

    async def _estimate(
        self, batch: Batch, account: Account, input_file: str | None, silent: dict[str, _Silent]
    ) -> None:
        """Estimates responses without usage as those of requests: from their text, and from the bytes of the requests.

        The requests are still at the provider, in the file that the batch was made of. If the file is gone, only the
        responses are charged.
        """
        if not silent:
            return
        settlements: list[Settlement] = []
        call = self.own_call(batch.key_id, account, f"{batch_format.FILES}/{input_file}/content")
        if input_file is not None:
            exchange = await self.lifecycle.upstream.send(call, _nothing)
            try:
                if exchange.status < _GOOD:
                    async for text in _lines(exchange):
                        item = _asked(text, silent)
                        if item is not None:
                            settlements.append(self._judged(silent.pop(item.custom_id), item))
            finally:
                exchange.release()
        await self.settle([*settlements, *(self._judged(each, None) for each in silent.values())])

    def _judged(self, silent: _Silent, item: BatchItem | None) -> Settlement:
        if item is None:
            return self._charge(silent.line, silent.observed, _spec_of(silent.line))
        observed = replace(silent.observed, request_bytes=len(item.body), request=sample(item.body))
        return self._charge(silent.line, observed, item.endpoint.read(item.body))

    def _charge(self, line: OpenLine, observed: Observed, spec: RequestSpec, *, metered: bool = True) -> Settlement:
        """Charges by the price of when the line was requested, and by whether its user is postpaid now."""
        intent, lifecycle = line.intent, self.lifecycle
        rate, user = self._rate(intent), lifecycle.directory.current.users.get(intent.user_id)
        if rate is None and metered and observed.complete and not observed.refused:
            observed = replace(observed, complete=False, report=None, error="unpriced")
        terms = HoldTerms(
            intent=intent,
            hold_pico=line.hold_pico,
            postpaid=user is not None and user.postpaid,
            widened_pico=line.widened_pico,
            metered=metered,
            service_tier=batch_format.TIER,
        )
        return charge(spec, observed, rate, terms, lifecycle.policy)

    def _rate(self, intent: Intent) -> Rate | None:
        """Returns the version of the price that the hold used.

        That version may be later than the request, if the clock was ahead.
        """
        directory, whose = self.lifecycle.directory.current, (intent.user_id, intent.model_id)
        then = directory.rate_then(*whose, intent.started_at_us)
        if then is None or then.price_id == intent.price_id:
            return then
        now = directory.rate(*whose, self.clock.now_us())
        return now if now is not None and now.price_id == intent.price_id else then

    def unknown(self, line: OpenLine, error: str | None, status_code: int) -> Settlement:
        """Returns the settlement of a line if nobody knows what the provider did with it."""
        took_ms = self._took_ms(line)
        observed = Observed(started=True, status_code=status_code, error=error, latency_ms=took_ms)
        return self._charge(line, observed, _SPEC)

    def _not_run(self, line: OpenLine, status_code: int = 499) -> Settlement:
        observed = Observed(status_code=status_code, error="not_run", latency_ms=self._took_ms(line))
        return self._charge(line, observed, _SPEC)

    def _took_ms(self, line: OpenLine) -> int:
        return max(self.clock.now_us() - line.intent.started_at_us, 0) // 1000

    def own_call(self, key_id: int, account: Account, path: str, method: str = "GET") -> UpstreamRequest:
        """Returns a request that softix itself makes."""
        headers = [*_OWN_HEADERS, *(HEADERS["messages"] if path.startswith(batch_format.MESSAGE_BATCHES) else ())]
        return account.call(key_id, path, headers, method=method)

    async def remove_copy(self, key_id: int, account: Account, name: str) -> None:
        """Deletes softix's own copy of a file. If the provider cannot do it now, the copy stays until it expires."""
        with suppress(ProviderFault):
            await self.whole(self.own_call(key_id, account, f"{batch_format.FILES}/{name}", method="DELETE"))

    async def whole(
        self, call: UpstreamRequest, sending: Callable[[], None] | None = None
    ) -> tuple[UpstreamResponse, bytes]:
        exchange = await self.lifecycle.upstream.send(call, sending or _nothing)
        try:
            return exchange, await exchange.read(_MOST_ANSWER_BYTES)
        finally:
            exchange.release()


def _nothing() -> None:
    return None


def slices(values: Sequence[T]) -> Iterable[Sequence[T]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


async def _lines(exchange: UpstreamResponse) -> AsyncIterator[bytes]:
    held = bytearray()
    try:
        while chunk := await exchange.chunk():
            for line in batch_format.lines_of(held, chunk):
                yield line
        for line in batch_format.lines_of(held, b"\n"):
            yield line
    except ValueError:
        raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True) from None


def _spec_of(line: OpenLine) -> RequestSpec:
    return _SPECS.get(line.intent.endpoint, _SPEC)


def _asked(text: bytes, silent: Mapping[str, _Silent]) -> BatchItem | None:
    """Returns a request whose response reports no usage, or None for any other line."""
    try:
        name = batch_format.name_of(text)
        return batch_format.read_line(text, ENDPOINTS[silent[name].line.intent.endpoint]) if name in silent else None
    except RefusedError:
        return None


def folder_of(family: BatchFamily) -> str:
    return batch_format.MESSAGE_BATCHES if family == "anthropic" else batch_format.BATCHES
