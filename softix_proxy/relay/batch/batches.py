"""Makes batches. Each of their requests is admitted like any other, and settled when the results are read.

All holds are committed before the provider is called. They stay until the results are metered (`results.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import NamedTuple

from softix_proxy.dialects import batches as batch_format
from softix_proxy.dialects.batches import BatchItem
from softix_proxy.dialects.core.classification import classify
from softix_proxy.dialects.core.errors import ProviderError
from softix_proxy.dialects.request.fields import invalid
from softix_proxy.domain.access.objects import NO_KEY, AccountPlace
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import HTTP_STATUS, Code, FailureError, RefusedError
from softix_proxy.domain.core.ids import RequestIds
from softix_proxy.domain.metering.admission import Admitted, Decision, Denied, Intent, IntentPlace, Stale
from softix_proxy.domain.metering.batches import Batch, BatchFamily, OpenLine
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest, UpstreamResponse
from softix_proxy.relay.batch.batch_request import BatchRequest
from softix_proxy.relay.batch.provider_account import Account
from softix_proxy.relay.batch.results import Results, folder_of, slices
from softix_proxy.relay.batch.tagged_input import tagged_line
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.request.admit import admit
from softix_proxy.relay.request.attribution import end_user, usage_tags
from softix_proxy.relay.request.bound import bound
from softix_proxy.relay.request.forward import TagOf
from softix_proxy.relay.request.large_body import scan
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.request.route import UnpricedError, priced
from softix_proxy.relay.request.unknown_members import refused, rule_for

log = logging.getLogger("softix.relay")
_A_TURN = 128
"""The number of requests that are handled in one turn of the event loop."""


_UNKNOWN = "Nobody knows whether the provider works on it: ask the operator before you send it again."


class Asked(NamedTuple):
    """A request of a batch, as it is submitted for admission."""

    custom_id: str
    intent: Intent
    model: Model


@dataclass(slots=True)
class Batches:
    """Reads, admits and makes batches, in this order."""

    lifecycle: Lifecycle
    storage: Storage
    ids: RequestIds
    results: Results

    @property
    def clock(self) -> Clock:
        return self.lifecycle.clock

    async def read(
        self, items: AsyncGenerator[BatchItem, None], tag_of: TagOf, caller: Caller | None = None
    ) -> list[BatchRequest]:
        """Returns what decides about each request. Nothing of the bodies is kept. Raises RefusedError.

        `caller` is who makes the batch, if its key asks for the users whom the requests name.
        """
        found: list[BatchRequest] = []
        seen: set[str] = set()
        async with aclosing(items):
            async for item in items:
                with batch_format.numbered(len(found) + 1):
                    if item.custom_id in seen:
                        raise invalid("another one has its `custom_id`.")
                    scanned = await scan(item.body)
                    spec = item.endpoint.read(item.body)
                    line_bytes = len(await tagged_line(item, spec.tags, tag_of)) if item.line else 0
                    del scanned
                    if spec.stream:
                        raise invalid("a batch's requests do not stream.")
                    if spec.call_limit is not None:
                        raise invalid("limit the calls of its tools: `max_uses`, or `max_tool_calls`.")
                if spec.unknown_members:
                    self.lifecycle.telemetry.unknown_members(item.endpoint.name, spec.unknown_members)
                seen.add(item.custom_id)
                spec = replace(spec, service_tier=batch_format.TIER, adjustable=False)
                user = "" if caller is None else end_user(caller, item.body, self.lifecycle.vault)
                found.append(BatchRequest(item.custom_id, item.endpoint, spec, len(item.body), line_bytes, user))
                if len(found) > batch_format.MOST_REQUESTS:
                    raise batch_format.too_many()
                if len(found) % _A_TURN == 0:
                    await asyncio.sleep(0)  # this lets the event loop serve others meanwhile
        if not found:
            raise invalid("The batch has no requests.")
        return found

    async def plan(
        self,
        caller: Caller,
        requests: Sequence[BatchRequest],
        find: Callable[[str], Model],
        label: str = NO_KEY,
        tags: Sequence[str] = (),
    ) -> list[Asked]:
        """Plans each request for the model that `find` returns for its name. Raises RefusedError.

        `label` is that of the key in whose account the batch will be. The provider's first key is used if it is empty.
        `tags` are the values of the header that names tags: all requests of the batch have them.
        """
        asked, stored = [], usage_tags(caller.key, tags, self.lifecycle.policy)
        for number, request in enumerate(requests, 1):
            with batch_format.numbered(number):
                asked.append(self._ask(caller, request, find(request.spec.model), label, stored))
            if number % _A_TURN == 0:
                await asyncio.sleep(0)
        return asked

    def _ask(self, caller: Caller, request: BatchRequest, model: Model, label: str, tags: str) -> Asked:
        directory, now_us, endpoint, spec = self.lifecycle.directory.current, self.clock.now_us(), *request[1:3]
        provider = directory.providers[model.provider_id]
        if spec.unknown_members and rule_for(self.lifecycle.policy, provider, caller) != "pass":
            raise refused(endpoint, b"", caller)
        rate = priced(directory, caller.user, model, endpoint, spec, now_us)
        if rate is None:
            raise UnpricedError(directory, model, caller.user, spec, now_us)
        profile = directory.providers[model.provider_id].profile
        if spec.limited_by and not profile.obeys(endpoint.name, spec.limited_by):  # a batch's requests stay as they are
            spec = replace(spec, max_output_tokens=None)
        widening = directory.widening(model.id, spec.members)
        most = bound(spec, request.body_bytes, model, rate, metered=endpoint.metered, least_tokens=1, widening=widening)
        refs, places = spec.refs, tuple[IntentPlace, ...]()
        if refs:
            account = Account.of(directory.providers[model.provider_id], label)
            places = (IntentPlace(AccountPlace(model.provider_id, account.label), model.id, rate.price_id),)
        intent = Intent(
            request_id=self.ids.next(now_us),
            revision=directory.revision,
            user_id=caller.user.id,
            postpaid=caller.user.postpaid,
            key_id=caller.key.id,
            limits=replace(caller.key.limits, rpm=None, tpm=None, concurrency=None, model_rates=()),
            provider_id=model.provider_id,
            model_id=model.id,
            price_id=rate.price_id,
            endpoint=endpoint.name,
            stream=False,
            bound=most,
            tokens_estimate=0,
            started_at_us=now_us,
            refs=refs,
            places=places,
            tags=tags,
            end_user=request.end_user,
        )
        return Asked(request.custom_id, intent, model)

    async def admit(self, plan: Callable[[], Awaitable[Sequence[Asked]]]) -> Sequence[Asked]:
        """Admits all requests or none. Raises RefusedError."""
        asked, _ = await admit(self.lifecycle.directory, self.lifecycle.journal, plan, self._submit, _denied)
        return asked

    async def _submit(self, asked: Sequence[Asked]) -> Denied | Stale | None:
        """Returns None if all are admitted. If one is not, those that were admitted before it are taken back."""
        admitted: list[Intent] = []
        try:
            decision = await self._admit_all([each.intent for each in asked], admitted)
        except BaseException:
            await self.lifecycle.journal.withdraw(admitted)
            raise
        if decision is not None:
            await self.lifecycle.journal.withdraw(admitted)
        return _of_all(decision, asked, admitted) if isinstance(decision, Denied) else decision

    async def _admit_all(self, intents: Sequence[Intent], admitted: list[Intent]) -> Denied | Stale | None:
        async def one(intent: Intent) -> Decision:
            decision = await self.lifecycle.journal.admit(intent)
            if isinstance(decision, Admitted):
                # this happens here, so that a caller cancelled during the wait knows of this intent
                admitted.append(intent)
            return decision

        for some in slices(intents):
            decisions = await asyncio.gather(*map(one, some), return_exceptions=True)
            for decision in decisions:
                if isinstance(decision, BaseException):
                    raise decision
                if isinstance(decision, (Denied, Stale)):
                    return decision
        return None

    async def withdraw(self, asked: Sequence[Asked]) -> None:
        """Takes all holds back, because the batch is not sent."""
        await self.lifecycle.journal.withdraw([each.intent for each in asked])

    async def make(
        self,
        family: BatchFamily,
        caller: Caller,
        account: Account,
        asked: Sequence[Asked],
        call: UpstreamRequest,
        input_file: str | None = None,
        copied: bool = False,
    ) -> tuple[UpstreamResponse, bytes]:
        """Sends the admitted requests. The batch is the user's as soon as the provider has it. Raises RefusedError.

        `input_file` is the file that the client named, and `copied` whether the batch is made of a copy. If the
        provider may have made the batch, the refusal tells the client not to try again. Each try could make another.
        """
        started = False

        def sending() -> None:
            nonlocal started
            started = True

        intents = [each.intent for each in asked]
        try:
            exchange, answer = await self.results.whole(call, sending)
        except ProviderFault as fault:
            unknown = started and fault.started
            await self._give_up(intents, fault.code, started=unknown)
            refused = refusal.failed(fault)
            raise (refusal.final(refused) if unknown else refused) from None
        except BaseException:
            await self._give_up(intents, Code.SHUTTING_DOWN, started=started)
            raise
        found = classify(exchange.status, exchange.headers, answer)
        if found.error is not None and found.error != ProviderError.NO_ANSWER:
            await self.lifecycle.journal.withdraw(intents)
            return exchange, answer
        progress = batch_format.read_progress(answer)
        if progress is None or progress.remote_id is None:
            await self._give_up(intents, Code.PROVIDER_BROKE_OFF, started=True)
            raise refusal.final(RefusedError(Code.PROVIDER_BROKE_OFF, f"The provider's answer is no batch. {_UNKNOWN}"))
        made = Batch(
            id=self.ids.next(self.clock.now_us()),
            family=family,
            provider_id=account.provider.id,
            provider_key=account.label,
            user_id=caller.user.id,
            key_id=caller.key.id,
            remote_id=progress.remote_id,
            requests=len(asked),
            created_at_us=self.clock.now_us(),
            # Another name than was sent would look like that of a copy, and a copy is deleted at the end.
            input_file=input_file if copied or progress.input_file == input_file else None,
        )
        # This must end even if all else is cancelled, because the provider works on the batch.
        await asyncio.shield(self._write_down(made, account, asked))
        return exchange, answer

    async def _write_down(self, made: Batch, account: Account, asked: Sequence[Asked]) -> None:
        try:
            async with self.storage.writing() as unit:
                await unit.batches.add(made, {each.custom_id: each.intent.request_id for each in asked})
        except Exception as error:  # noqa: BLE001 - nothing may stay held for ever, whatever the error is
            cancelled = await self._cancel(made, account)
            told = {"batch": made.remote_id, "error": type(error).__name__, "cancelled": cancelled}
            log.error("a batch was made and could not be written down", extra=told)
            try:
                await self._give_up([each.intent for each in asked], Code.STORAGE_UNAVAILABLE, started=True)
            except FailureError:
                log.error("settlements are left to the next start")
            done = "The batch was cancelled at the provider." if cancelled else _UNKNOWN
            raise refusal.final(
                RefusedError(Code.STORAGE_UNAVAILABLE, f"softix cannot write its books now. {done}")
            ) from None

    async def _cancel(self, made: Batch, account: Account) -> bool:
        """Cancels the batch, so that nobody pays for results that nobody can read.

        A batch in the books is left alone, because the provider has then repeated an earlier response.
        """
        try:
            if await self.storage.reading().batches.is_known(made.provider_id, made.remote_id):
                return False
            path = f"{folder_of(made.family)}/{made.remote_id}/cancel"
            exchange, answer = await self.results.whole(
                self.results.own_call(made.key_id, account, path, method="POST")
            )
        except (ProviderFault, FailureError):
            return False
        return classify(exchange.status, exchange.headers, answer).error is None

    async def _give_up(self, intents: Sequence[Intent], code: Code, *, started: bool) -> None:
        if not started:
            await self.lifecycle.journal.withdraw(intents)
            return
        lines = [OpenLine("", intent, intent.bound.hold_pico(intent.bound.output_tokens)) for intent in intents]
        await self.results.settle([self.results.unknown(line, code.value, HTTP_STATUS[code]) for line in lines])


def _of_all(decision: Denied, asked: Sequence[Asked], admitted: Sequence[Intent]) -> Denied:
    """Replaces the figures of one request by those of the whole batch."""
    held_pico = sum(intent.bound.hold_pico(intent.bound.output_tokens) for intent in admitted)
    needed_pico = sum(each.intent.bound.hold_pico(each.intent.bound.output_tokens) for each in asked)
    return replace(
        decision, needed_pico=needed_pico, available_pico=decision.available_pico + held_pico, affordable_tokens=0
    )


def _denied(asked: Sequence[Asked], decision: Denied) -> RefusedError:
    return refusal.denied(decision, asked[0].intent.limits, "this batch")
