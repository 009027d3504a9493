"""The life of every request from top to bottom, streamed or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from softix_proxy.dialects.core.base import Endpoint, RequestSpec
from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.access.networks import client_network
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.metering.admission import Admitted, Decision, Denied, Intent, RateCheck
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.text_tokens import sample
from softix_proxy.domain.ports.storage import Journal, Unit
from softix_proxy.domain.ports.telemetry import Telemetry
from softix_proxy.domain.ports.upstream import Upstream
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.inbound import Client, Inbound
from softix_proxy.relay.core.key_guesses import KeyGuesses, too_many
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.core.plan import Caller, Plan, Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.core.seen_clients import SeenClients
from softix_proxy.relay.request.admit import admit
from softix_proxy.relay.request.attribution import end_user, usage_tags
from softix_proxy.relay.request.bound import bound, estimate, together, tokens_bound
from softix_proxy.relay.request.eligibility import require_eligible
from softix_proxy.relay.request.identify import identify
from softix_proxy.relay.request.large_body import scan
from softix_proxy.relay.request.request_run import RequestRun, is_whole
from softix_proxy.relay.request.route import prefix_of, route
from softix_proxy.relay.request.tags import UntaggedClient, tagged
from softix_proxy.relay.request.unknown_members import permitted
from softix_proxy.relay.routing.target_pool import TargetPool
from softix_proxy.relay.settlement.hold import Hold

_GUESSERS_S = 1.0
"""The age of the directory from which it is read again for an address that has sent too many invalid keys."""


@dataclass(slots=True)
class Lifecycle:
    """Takes each request through its steps. It has the parts that all requests share."""

    directory: LiveDirectory
    journal: Journal
    upstream: Upstream
    vault: Vault
    clock: Clock
    telemetry: Telemetry
    policy: Policy
    target_pool: TargetPool
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """The function that waits for this number of seconds."""
    guesses: KeyGuesses = field(default_factory=KeyGuesses)
    seen: SeenClients = field(default_factory=SeenClients)
    abuse: AbuseTally = field(default_factory=AbuseTally)
    """Counts refusals for the rules against abuse. A request that is not refused never gets there."""
    books: Callable[[], Unit] | None = None
    """The function that opens the books for reads. None if nobody has to be refused before the body is read."""
    translating: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, 1))
    """Lets one large body be translated at a time, since that takes several times its memory."""

    async def serve(self, request: Inbound, client: Client) -> None:
        """Answers the client.

        Raises RefusedError if nothing was sent yet, and ClientGoneError if the client has left.
        """
        digest = self.vault.digest(request.credential) if request.credential else None
        caller = await self._identify(request.credential, digest, request.address, request.started_at_us)
        self.seen.note(caller.key.id, request.address, request.user_agent, request.tls, request.started_at_us)
        if request.is_heavy:
            await self.require_eligible(request.credential, request.address, (request.endpoint,))
        body = await request.read_body()
        scanned = await scan(body) if request.is_heavy and request.rest is None else None
        spec = self._with_headers(request, request.endpoint.read(body))
        if spec.unknown_members:
            self.telemetry.unknown_members(request.endpoint.name, spec.unknown_members)
        plan, admitted = await self.admit(request, digest, spec, body)
        size_bytes = len(body) + request.rest_bytes
        if admitted.call_limit is not None:
            spec = spec.with_calls(admitted.call_limit)
        if spec.tags:
            tag_of = partial(self.vault.tag, plan.caller.key.id)
            body, client = tagged(body, spec.tags, tag_of), UntaggedClient(client, spec.tags, tag_of)
            scanned = None  # it was of the body before; the run scans this one, once the hold has its owner
        hold = Hold(
            journal=self.journal,
            clock=self.clock,
            spec=spec,
            plan=plan,
            admitted=admitted,
            request_bytes=size_bytes,
            request=sample(body),
            policy=self.policy,
            started_ns=request.started_ns,
            target=plan.targets[0],
        )
        request_run = RequestRun(request, client, spec, hold, self, body, scanned)
        del body, scanned  # the run frees the body as soon as it is not needed any more
        self.telemetry.opened(admitted.hold_pico)
        try:
            async with hold:
                await request_run.run()
        except RefusedError as error:
            error.headers += tuple(hold.headers())
            raise
        finally:
            if hold.settlement is not None:
                self.telemetry.finished(hold.settlement, hold.target.provider.name, hold.target.model.name)

    @staticmethod
    def _with_headers(request: Inbound, spec: RequestSpec) -> RequestSpec:
        """Returns the spec with what the request's headers change."""
        endpoint, name = request.endpoint, request.endpoint.bound_header
        if name:
            for header, value in request.headers:
                if header == name:
                    spec = endpoint.with_header(spec, value)
        return spec

    async def identify(self, credential: str | None, address: str) -> Caller:
        """Returns who makes a request to one of the other routes, as of now. Raises RefusedError."""
        digest = self.vault.digest(credential) if credential else None
        await self._identify(credential, digest, address, self.clock.now_us())
        await self.directory.refresh()
        return identify(self.directory.current, digest, address, self.clock.now_us())

    async def enter(self, credential: str | None, address: str, user_agent: str, tls: str) -> Caller:
        """Does the same as `identify`, and counts the request: as one from there, and against the rate of the key.

        Raises RefusedError.
        """
        caller = await self.identify(credential, address)
        self.seen.note(caller.key.id, address, user_agent, tls, self.clock.now_us())
        limits = caller.key.limits
        if limits.rpm is not None:
            decision = await self.journal.count(RateCheck(caller.user.id, caller.key.id, limits))
            if isinstance(decision, Denied):
                raise refusal.denied(decision, limits)
        return caller

    async def _identify(self, credential: str | None, digest: bytes | None, address: str, now_us: int) -> Caller:
        """Identifies the caller before the body is read, so that no memory is spent on a stranger's body.

        The directory is read again only for a key that it does not let pass. It may have been made just now.
        """
        try:
            return identify(self.directory.current, digest, address, now_us)
        except RefusedError:
            if not credential:
                raise
            return await self._identify_stranger(digest, address, now_us)

    async def _identify_stranger(self, digest: bytes | None, address: str, now_us: int) -> Caller:
        wait_us = self.guesses.wait_us(address, self._monotonic_us())
        if wait_us and (digest is None or self.directory.was_read_within(_GUESSERS_S)):
            self.seen.guessed(address, now_us, slowed=True)
            raise too_many(wait_us)
        try:
            if digest is not None:
                await self.directory.refresh_shared()
            return identify(self.directory.current, digest, address, now_us)
        except RefusedError:
            self.seen.guessed(address, now_us, slowed=bool(wait_us))
            if wait_us:
                self._count_refusal(digest, address)
                raise too_many(wait_us) from None
            self.guesses.failed(address, self._monotonic_us())
            self._count_refusal(digest, address)
            raise

    def _count_refusal(self, digest: bytes | None, address: str) -> None:
        key = None if digest is None else self.directory.current.keys.get(digest)
        if key is None:
            self.abuse.guessed(client_network(address))
        else:
            self.abuse.refused(key.id)

    def _monotonic_us(self) -> int:
        return self.clock.monotonic_ns() // 1000

    async def require_eligible(self, credential: str | None, address: str, endpoints: Sequence[Endpoint]) -> None:
        """Refuses whoever can do nothing at these endpoints, before work is spent on a large or compressed body."""
        if self.books is None:
            return
        digest = self.vault.digest(credential) if credential else None
        now_us, books = self.clock.now_us(), self.books()
        while True:
            try:
                caller = identify(self.directory.current, digest, address, now_us)
                await require_eligible(self.directory.current, books, caller, endpoints, now_us)
            except RefusedError:
                if not await self.directory.has_changed():
                    raise
            else:
                return

    async def admit(
        self, request: Inbound, digest: bytes | None, spec: RequestSpec, body: bytes
    ) -> tuple[Plan, Admitted]:
        """Plans the request and has it admitted. Raises RefusedError."""

        async def plan() -> Plan:
            return self._plan(request, digest, spec, body)

        try:
            planned, admitted = await admit(self.directory, self.journal, plan, self._submit, _denied)
        except RefusedError:
            self._count_refusal(digest, request.address)
            raise
        return (planned if admitted.place is None else planned.at(admitted.place)), admitted

    async def _submit(self, plan: Plan) -> Decision:
        return await self.journal.admit(plan.intent)

    def _plan(self, request: Inbound, digest: bytes | None, spec: RequestSpec, body: bytes) -> Plan:
        directory, endpoint, now_us = self.directory.current, request.endpoint, self.clock.now_us()
        caller = identify(directory, digest, request.address, now_us)
        found, targets = route(directory, caller, endpoint, spec, now_us)
        if spec.unknown_members:
            targets = permitted(targets, endpoint, body, caller, self.policy)
        if not (found.id or self.policy.fallback_by_name):
            del targets[1:]
        body_bytes = len(body) + request.rest_bytes
        user, key, prefix, tokens = caller.user, caller.key, None, estimate(spec, body_bytes)
        limits = key.limits
        if len(targets) > 1:
            prefix = prefix_of(key.id, body) if found.sticky else None
            targets = self.target_pool.arrange(targets, prefix, tokens)
        targets, bounds = self._bounds(
            directory, request, spec, body_bytes, targets[:1] if request.rest_bytes else targets
        )
        first = targets[0]
        if limits.model_rates:
            limits = limits.for_models([(each.provider.name, each.model.name) for each in targets])
        retries = found.retries if found.id else self.policy.retries
        key_quotas = first.provider.key_count if len(targets) == 1 else sum(each.provider.key_count for each in targets)
        tries = 1 if request.rest_bytes else min(key_quotas * (retries + 1), self.policy.most_attempts)
        intent = Intent(
            request_id=request.id,
            revision=directory.revision,
            user_id=user.id,
            postpaid=user.postpaid,
            key_id=key.id,
            limits=limits,
            provider_id=first.provider.id,
            model_id=first.model.id,
            price_id=first.rate.price_id,
            endpoint=endpoint.name,
            stream=spec.stream,
            bound=together(bounds, tries if self.policy.charge_failed_attempts == "provider-billed" else 1),
            tokens_estimate=tokens,
            started_at_us=request.started_at_us,
            tokens_bound=tokens_bound(spec, body_bytes, bounds) if limits.tpm is not None or limits.model_rates else 0,
            refs=spec.refs,
            places=tuple(place for target in targets for place in target.places()) if spec.refs else (),
            tags=usage_tags(key, request.tags, self.policy),
            end_user=end_user(caller, body, self.vault) if key.end_users else "",
            other_models=tuple(target.model.id for target in targets[1:]) if len(targets) > 1 else (),
        )
        return Plan(caller, targets, intent, bounds, retries, tries, prefix)

    def _bounds(
        self,
        directory: Directory,
        request: Inbound,
        spec: RequestSpec,
        body_bytes: int,
        targets: Sequence[Target],
    ) -> tuple[list[Target], list[Bound]]:
        """Returns the most that each target can cost. It leaves out targets whose price cannot charge the request."""
        kept: list[Target] = []
        bounds: list[Bound] = []
        least = self.policy.least_output_tokens
        for target in targets:
            metered = target.endpoint.metered
            there = spec if is_whole(request, target) else spec.translated(target.endpoint.name)
            try:
                bounds.append(
                    bound(
                        there,
                        body_bytes,
                        target.model,
                        target.rate,
                        metered=metered,
                        least_tokens=least,
                        widening=directory.widening(target.model.id, spec.members),
                        adds_input=target.provider.profile.adds_input,
                    )
                )
            except RefusedError:
                if target is targets[-1] and not kept:
                    raise
            else:
                kept.append(target)
        return kept, bounds


def _denied(plan: Plan, decision: Denied) -> RefusedError:
    return refusal.denied(decision, plan.caller.key.limits)
