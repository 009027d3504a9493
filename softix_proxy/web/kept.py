"""What users keep at providers whose accounts they share. Whose it is is known here; for others it does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qs

import msgspec

from softix_proxy.dialects import batches as wire
from softix_proxy.dialects.errors import ProviderError, classify, error_type
from softix_proxy.dialects.fields import invalid
from softix_proxy.domain.batches import Batch, KeptFile
from softix_proxy.domain.directory import Directory
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.providers import ProviderStatus
from softix_proxy.domain.routing import in_regions
from softix_proxy.domain.upstream import Call, Exchange, Header, Headers, ProviderFault, Rest
from softix_proxy.relay import refusal
from softix_proxy.relay.batch_results import Account
from softix_proxy.relay.batches import Batches
from softix_proxy.relay.forward import outgoing, returning
from softix_proxy.relay.inbound import Client
from softix_proxy.relay.plan import Caller
from softix_proxy.relay.settle import cost_headers

_MOST_BYTES = 16 * 1024 * 1024
_PAGE, _LONGEST_PAGE = 20, 100
_ASKED_AT_ONCE = 10
"""Of the things on a page, each of which is asked for at the provider by itself."""
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
    rest: Rest | None = None


class Keeper:
    """Answers one request of one client."""

    verbs: ClassVar[Sequence[Verb]]

    def __init__(self, batches: Batches, caller: Caller, wish: Wish, client: Client) -> None:
        self._batches = batches
        self._results = batches.results
        self._unit = batches.storage.reading()
        self._caller = caller
        self._wish = wish
        self._client = client
        self._headers = outgoing(wish.headers, wish.credential)
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

    async def _listed(self, calls: Sequence[Call], *, more: bool) -> None:
        """As both families have lists; what the provider does not have any more is left out."""
        began_ns = self._batches.clock.monotonic_ns()
        answers: list[tuple[Exchange, bytes]] = []
        for start in range(0, len(calls), _ASKED_AT_ONCE):
            some = calls[start : start + _ASKED_AT_ONCE]
            answers += await asyncio.gather(*map(self._results.whole, some))
        self._waited_ns += self._batches.clock.monotonic_ns() - began_ns
        data, names = [], []
        for exchange, answer in answers:
            told = wire.read_progress(answer) if exchange.status < 300 else None
            if told is not None and told.remote_id is not None:
                names.append(told.remote_id)
                data.append(msgspec.Raw(wire.at_home(answer, told.remote_id)))
        body = {
            "object": "list",
            "data": data,
            "has_more": more,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }
        await self._client.answer(200, [_JSON, *self._costs()], msgspec.json.encode(body))

    async def _ask(self, call: Call) -> tuple[Exchange, bytes]:
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

    async def _pass(self, exchange: Exchange, answer: bytes) -> None:
        if exchange.status >= 300:
            error = classify(exchange.status, answer, error_type(exchange.headers))
            if error == ProviderError.CREDENTIALS or (exchange.secret and exchange.secret.encode() in answer):
                raise RefusedError(
                    Code.PROVIDER_REFUSED, "The provider refused softix. The operator has to look into it."
                )
        headers = returning(exchange.headers, exchange.secret)
        await self._client.answer(exchange.status, [*headers, *self._costs()], answer)

    async def _stream(self, call: Call) -> None:
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

    async def _send(self, call: Call) -> Exchange:
        return await self._batches.house.upstream.send(call, lambda: None)

    def _account(self, kept: Batch | KeptFile) -> Account:
        account = self._results.account_of(kept.provider_id, kept.provider_key)
        if account is None or account.provider.status is not ProviderStatus.ACTIVE:
            raise RefusedError(Code.NOT_FOUND, "The provider that has it is no longer used here.")
        if not in_regions(account.provider, self._caller.user, self._caller.key):
            raise RefusedError(Code.REGION_NOT_ALLOWED, "It is not in the regions that this API key may use.")
        return account

    def _call_for(self, kept: Batch | KeptFile, path: str, query: str = "", method: str = "GET") -> Call:
        account, path = self._account(kept), f"{path}?{query}" if query else path
        key_id = self._caller.key.id
        return Call(key_id, account.provider, path, self._headers, b"", False, key=account.key, method=method)

    def _page_of(self, parameter: str) -> tuple[int, str | None]:
        asked = parse_qs(self._wish.query)
        limit = asked.get("limit", [str(_PAGE)])[0]
        if not limit.isdecimal() or int(limit) < 1:
            raise invalid("`limit` must be a whole number from 1 on.")
        return min(int(limit), _LONGEST_PAGE), asked.get(parameter, [None])[0]

    async def _kept_file(self, name: str) -> KeptFile:
        file = await self._unit.batches.find_file(self._caller.user.id, name)
        if file is None:
            raise RefusedError(Code.NOT_FOUND, MISSING)
        return file


def _fits(verb: Verb, names: Sequence[str]) -> bool:
    return len(verb[1]) == len(names) and verb[1][1:] == tuple(names[1:])
