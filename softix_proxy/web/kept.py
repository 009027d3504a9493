"""What users keep at providers whose accounts they share. Whose it is is known here; for others it does not exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from softix_proxy.dialects import queries
from softix_proxy.dialects.base import Family
from softix_proxy.dialects.classification import ClientError, classify
from softix_proxy.dialects.listings import ListedKind, read_page, write_one, write_page
from softix_proxy.dialects.request_headers import passing
from softix_proxy.domain.batches import Batch, KeptFile
from softix_proxy.domain.directory import Directory
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.providers import ProviderStatus
from softix_proxy.domain.routing import in_regions
from softix_proxy.domain.upstream import (
    BodyRemainder,
    Header,
    Headers,
    ProviderFault,
    UpstreamRequest,
    UpstreamResponse,
)
from softix_proxy.relay import failures, refusal
from softix_proxy.relay.batch_results import Account
from softix_proxy.relay.batches import Batches
from softix_proxy.relay.forward import outgoing, returning
from softix_proxy.relay.inbound import Client
from softix_proxy.relay.plan import Caller
from softix_proxy.relay.settle import cost_headers
from softix_proxy.web.pages import GONE, NotToldError, fill

_MOST_BYTES = 16 * 1024 * 1024
_JSON: Header = ("content-type", "application/json")
MISSING = "There is none of this name, or it is not yours."
ONE = ("id",)
Verb = tuple[str, tuple[str, ...], str]
"""Method, what follows the folder (a name, and perhaps a word), the name of the function."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One request, as far as the batches have to know it."""

    method: str
    query: str
    headers: Headers
    credential: str | None
    address: str
    read_body: Callable[[], Awaitable[bytes]]
    rest: BodyRemainder | None = None
    family: Family = "openai"
    """Whose shape the client reads."""


class Keeper:
    """Answers one request of one client."""

    verbs: ClassVar[Sequence[Verb]]
    family: ClassVar[Family] = "openai"

    def __init__(self, batches: Batches, caller: Caller, wish: Wish, client: Client) -> None:
        self._batches = batches
        self._results = batches.results
        self._unit = batches.storage.reading()
        self._caller = caller
        self._wish = wish
        self._client = client
        passed = passing(self.family, None, batches.house.policy.pass_headers)
        self._headers = outgoing(wish.headers, wish.credential, passed)
        self._began_ns, self._waited_ns = batches.clock.monotonic_ns(), 0

    @property
    def _directory(self) -> Directory:
        return self._batches.house.directory.current

    @classmethod
    def serves(cls, method: str, names: Sequence[str]) -> bool:
        """`names` is the path below the folder."""
        return any(
            verb[0] == method and len(verb[1]) == len(names) and verb[1][1:] == tuple(names[1:]) for verb in cls.verbs
        )

    async def answer(self, names: Sequence[str]) -> None:
        """`names` is the path below the folder. Raises RefusedError, ClientGoneError, FailureError."""
        fitting = [verb for verb in self.verbs if _fits(verb, names)]
        if not fitting:
            raise RefusedError(Code.NOT_FOUND, "There is nothing here.")
        verb = next((name for method, _, name in fitting if method == self._wish.method), None)
        if verb is None:
            known = " or ".join(method for method, _, _ in fitting)
            raise RefusedError(Code.METHOD_NOT_ALLOWED, f"Use {known} here.")
        try:
            await getattr(self, verb)(*names[:1])
        except ProviderFault as fault:
            raise refusal.failed(fault) from None

    async def _listed(self, kind: ListedKind, read: Callable[[int, str | None, bool], Any], folder: str) -> None:
        """A page of what this user has, in the shape of who asks. `read` gets how many, after which, and which way."""
        page = read_page(self._family, self._wish.query)
        began_ns = self._batches.clock.monotonic_ns()
        try:
            found, next_cursor = await fill(
                page,
                lambda most, cursor: read(most, cursor, page.ascending),
                partial(self._call_if_any, folder),
                self._results.whole,
            )
        except NotToldError as error:
            await self._pass(error.exchange, error.answer)
            return
        self._waited_ns += self._batches.clock.monotonic_ns() - began_ns
        body = write_page(self._family, kind, found, next_cursor)
        await self._client.answer(200, [_JSON, *self._costs()], body)

    def _call_if_any(self, folder: str, kept: Batch | KeptFile) -> UpstreamRequest | None:
        """None for what is at a provider that is not used any more, or not for this key."""
        try:
            return self._call_for(kept, f"{folder}/{kept.remote_id}")
        except RefusedError:
            return None

    @property
    def _family(self) -> Family:
        """Whose shape the answers have."""
        return "gemini" if self._wish.family == "gemini" else "openai"

    async def _show(self, kind: ListedKind, exchange: UpstreamResponse, answer: bytes) -> None:
        """One of them, in the shape of who asks."""
        if self._family == "gemini" and exchange.status in GONE:
            raise RefusedError(Code.NOT_FOUND, MISSING)
        if self._family == "gemini" and exchange.status < 300:
            await self._client.answer(200, [_JSON, *self._costs()], write_one(kind, answer))
        else:
            await self._pass(exchange, answer)

    async def _ask(self, call: UpstreamRequest) -> tuple[UpstreamResponse, bytes]:
        began_ns = self._batches.clock.monotonic_ns()
        found = await self._results.whole(call)
        self._waited_ns += self._batches.clock.monotonic_ns() - began_ns
        return found

    def _costs(self) -> list[Header]:
        """To ask is free."""
        return cost_headers(0, self._batches.clock.monotonic_ns() - self._began_ns - self._waited_ns)

    async def _metered(self, batch: Batch | None) -> None:
        """Before anybody gets its results. Raises RefusedError where there are none yet."""
        if batch is not None and not await self._results.collect(batch):
            raise RefusedError(Code.NOT_FOUND, "The batch has not ended yet: there are no results.")

    async def _pass(self, exchange: UpstreamResponse, answer: bytes) -> None:
        """What the provider answered, by the same rule as an answer to a request. Raises RefusedError."""
        found = classify(exchange.status, exchange.headers, answer)
        told = (
            failures.tellable(found, exchange.secret)
            if found.error is not None
            else ClientError(exchange.status, answer)
        )
        if told is None:
            raise failures.unsayable(found)
        headers = returning(exchange.headers, exchange.secret)
        await self._client.answer(told.status, [*headers, *self._costs()], told.body)

    async def _stream(self, call: UpstreamRequest) -> None:
        exchange = await self._send(call)
        try:
            if exchange.status >= 300:
                await self._pass(exchange, await exchange.read(_MOST_BYTES))
                return
            await self._client.begin(exchange.status, returning(exchange.headers, exchange.secret))
            try:
                while chunk := await exchange.chunk():
                    self._client.send(chunk)
                    await self._client.caught_up()
            except ProviderFault:
                self._client.cut()
                return
            await self._client.end()
        finally:
            exchange.release()

    async def _send(self, call: UpstreamRequest) -> UpstreamResponse:
        return await self._batches.house.upstream.send(call, lambda: None)

    def _account(self, kept: Batch | KeptFile) -> Account:
        account = self._results.account_of(kept.provider_id, kept.provider_key)
        if account is None or account.provider.status is not ProviderStatus.ACTIVE:
            raise RefusedError(Code.NOT_FOUND, "The provider that has it is no longer used here.")
        if not in_regions(account.provider, self._caller.user, self._caller.key):
            raise RefusedError(Code.REGION_NOT_ALLOWED, "It is not in the regions that this API key may use.")
        return account

    def _call_for(self, kept: Batch | KeptFile, path: str, query: str = "", method: str = "GET") -> UpstreamRequest:
        account, query = self._account(kept), queries.passing(query, self.family)
        path = f"{path}?{query}" if query else path
        key_id = self._caller.key.id
        return UpstreamRequest(
            key_id, account.provider, path, self._headers, b"", False, key=account.key, method=method
        )

    async def _kept_file(self, name: str) -> KeptFile:
        file = await self._unit.batches.find_file(self._caller.user.id, name)
        if file is None:
            raise RefusedError(Code.NOT_FOUND, MISSING)
        return file


def _fits(verb: Verb, names: Sequence[str]) -> bool:
    return len(verb[1]) == len(names) and verb[1][1:] == tuple(names[1:])
