"""The base of all handlers of stored objects: it calls the provider that has an object, and passes the response on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from softix_proxy.dialects.core import queries
from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.core.classification import ClientError, classify
from softix_proxy.dialects.core.listings import ListedKind, read_page, write_one, write_page
from softix_proxy.dialects.core.request_headers import passing
from softix_proxy.dialects.request.charsets import JSON
from softix_proxy.domain.access.authorization import AccessDenial, access
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.headers import Header
from softix_proxy.domain.metering.batches import Batch, KeptFile
from softix_proxy.domain.ports.upstream import BodyRemainder, ProviderFault, UpstreamRequest, UpstreamResponse
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.relay.batch.batches import Batches
from softix_proxy.relay.batch.provider_account import Account
from softix_proxy.relay.batch.results import GONE
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.inbound import Client
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.core.redaction import NOTHING_HIDDEN, Redaction, StreamRedaction, redaction
from softix_proxy.relay.request.forward import outgoing, returning
from softix_proxy.relay.routing import failures
from softix_proxy.relay.settlement.hold import cost_headers
from softix_proxy.relay.stored_objects.operation_table import Operation
from softix_proxy.relay.stored_objects.pagination import ListingFailedError, fill_page
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest

_MAX_ERROR_BYTES = 16 * 1024 * 1024
_JSON: Header = ("content-type", JSON)
UNKNOWN_OBJECT = "There is none of this name, or it is not yours."


class ResourceHandler:
    """Handles one request of one client about objects of one kind."""

    operations: ClassVar[Sequence[Operation]]
    family: ClassVar[Family] = "openai"
    """The family of API that providers with such objects speak."""

    def __init__(self, batches: Batches, caller: Caller, request: ResourceRequest, client: Client) -> None:
        self._batches = batches
        self._results = batches.results
        self._unit = batches.storage.reading()
        self._caller = caller
        self._request = request
        self._client = client
        passed = passing(self.family, None, batches.lifecycle.policy.pass_headers)
        self._tag_of = partial(batches.lifecycle.vault.tag, caller.key.id)
        self._headers = outgoing(request.headers, request.credential, passed, self._tag_of)
        self._asked: Provider | None = None
        self._began_ns, self._waited_ns = batches.clock.monotonic_ns(), 0

    @property
    def _directory(self) -> Directory:
        return self._batches.lifecycle.directory.current

    @property
    def _answer_family(self) -> Family:
        """Returns the family of the responses.

        Clients that speak Google's API get OpenAI's objects in Google's form.
        """
        return "gemini" if self.family == "openai" and self._request.family == "gemini" else self.family

    @property
    def _passed_query(self) -> str:
        """Returns the query of the request, unless it is written for another family than the provider's."""
        return "" if self._answer_family == "gemini" else self._request.query

    async def handle(self, names: Sequence[str]) -> None:
        """Handles the request.

        `names` is the path below the folder. Raises RefusedError, ClientGoneError, FailureError.
        """
        fitting = [operation for operation in self.operations if operation.fits(names)]
        if not fitting:
            raise RefusedError(Code.NOT_FOUND, "There is nothing here.")
        found = next((operation for operation in fitting if operation.method == self._request.method), None)
        if found is None:
            methods = " or ".join(operation.method for operation in fitting)
            raise RefusedError(Code.METHOD_NOT_ALLOWED, f"Use {methods} here.")
        try:
            await getattr(self, found.function)(*names[:1])
        except ProviderFault as fault:
            raise refusal.failed(fault) from None

    # These methods deal with the provider.

    def _account_of(self, stored: Batch | KeptFile) -> Account:
        """Returns the account of an object. Raises RefusedError if its provider is not in use, or not for this key."""
        account = self._results.account_of(stored.provider_id, stored.provider_key)
        user, key = self._caller.user, self._caller.key
        denial = AccessDenial.DISABLED if account is None else access(user, key, account.provider)
        if denial is AccessDenial.REGION:
            raise RefusedError(Code.REGION_NOT_ALLOWED, "It is not in the regions that this API key may use.")
        if account is None or denial is not None:
            raise RefusedError(Code.NOT_FOUND, "The provider that has it is no longer used here.")
        return account

    def _call(
        self,
        account: Account,
        path: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        rest: BodyRemainder | None = None,
        content_type: str = JSON,
    ) -> UpstreamRequest:
        """Returns a call to the provider. Its body, if it has one, is of softix's own content type."""
        self._asked = account.provider
        headers = [*self._headers, ("content-type", content_type)] if body else self._headers
        return account.call(self._caller.key.id, path, headers, method=method, body=body, rest=rest)

    def _call_for(self, stored: Batch | KeptFile, path: str, query: str = "", method: str = "GET") -> UpstreamRequest:
        account, query = self._account_of(stored), queries.passing(query, self.family)
        return self._call(account, f"{path}?{query}" if query else path, method=method)

    async def _send(self, call: UpstreamRequest) -> UpstreamResponse:
        return await self._batches.lifecycle.upstream.send(call, lambda: None)

    async def _fetch(self, call: UpstreamRequest) -> tuple[UpstreamResponse, bytes]:
        """Returns the whole response. The time that the provider takes for it does not count as softix's own."""
        began_ns = self._batches.clock.monotonic_ns()
        found = await self._results.whole(call)
        self._waited_ns += self._batches.clock.monotonic_ns() - began_ns
        return found

    # These methods deal with the client.

    def _hidden(self, exchange: UpstreamResponse) -> Redaction:
        """Returns what of a response is the operator's. It came from the provider that was asked last."""
        return redaction(exchange.secret, self._asked)

    def _cost_headers(self) -> list[Header]:
        """Returns the headers of a free request, because requests about stored objects cost nothing."""
        return cost_headers(0, self._batches.clock.monotonic_ns() - self._began_ns - self._waited_ns)

    async def _pass_on(self, exchange: UpstreamResponse, answer: bytes) -> None:
        """Sends the provider's response by the same rule as the response to a request. Raises RefusedError."""
        hidden, found = self._hidden(exchange), classify(exchange.status, exchange.headers, answer)
        told = (
            failures.tellable(found, hidden)
            if found.error is not None
            else ClientError(exchange.status, hidden.described(answer))
        )
        if told is None:
            raise failures.unsayable(found)
        headers = returning(exchange.headers, hidden)
        await self._client.answer(told.status, [*headers, *self._cost_headers()], told.body)

    async def _pass_on_one(self, kind: ListedKind, exchange: UpstreamResponse, answer: bytes) -> None:
        """Sends the provider's description of one object, in the form that the client reads. Raises RefusedError."""
        if self._answer_family == "gemini" and exchange.status in GONE:
            raise RefusedError(Code.NOT_FOUND, UNKNOWN_OBJECT)
        if self._answer_family == "gemini" and exchange.status < 300:
            await self._client.answer(200, [_JSON, *self._cost_headers()], write_one(kind, answer))
        else:
            await self._pass_on(exchange, answer)

    async def _pass_on_content(self, call: UpstreamRequest) -> None:
        """Sends the contents of an object, as they come."""
        exchange = await self._send(call)
        try:
            if exchange.status >= 300:
                await self._pass_on(exchange, await exchange.read(_MAX_ERROR_BYTES))
                return
            hidden = self._hidden(exchange)
            shown = StreamRedaction(hidden)
            await self._client.begin(exchange.status, returning(exchange.headers, hidden))
            try:
                while chunk := await exchange.chunk():
                    if passing := shown.feed(chunk):
                        self._client.send(passing)
                    await self._client.caught_up()
                if waiting := shown.end():
                    self._client.send(waiting)
            except ProviderFault:
                self._client.cut()
                return
            await self._client.end()
        finally:
            exchange.release()

    async def _list(self, kind: ListedKind, read: Callable[[int, str | None, bool], Any], folder: str) -> None:
        """Sends a page of this user's objects. `read` is given the count, the name to start after, and the order."""
        page = read_page(self._answer_family, self._request.query)
        began_ns = self._batches.clock.monotonic_ns()
        try:
            found, next_cursor = await fill_page(
                page,
                lambda most, cursor: read(most, cursor, page.ascending),
                partial(self._call_if_usable, folder),
                self._results.whole,
            )
        except ListingFailedError as error:
            await self._pass_on(error.exchange, error.answer)
            return
        self._waited_ns += self._batches.clock.monotonic_ns() - began_ns
        found = [each._replace(body=NOTHING_HIDDEN.described(each.body)) for each in found]
        body = write_page(self._answer_family, kind, found, next_cursor)
        await self._client.answer(200, [_JSON, *self._cost_headers()], body)

    def _call_if_usable(self, folder: str, stored: Batch | KeptFile) -> UpstreamRequest | None:
        """Returns the call for an object, or None if its provider is not in use, or not for this key."""
        try:
            return self._call_for(stored, f"{folder}/{stored.remote_id}")
        except RefusedError:
            return None

    # These methods look up objects.

    async def _find_file(self, name: str) -> KeptFile:
        """Returns the file. Raises RefusedError if the user has none of this name."""
        file = await self._unit.batches.find_file(self._caller.user.id, name)
        if file is None:
            raise RefusedError(Code.NOT_FOUND, UNKNOWN_OBJECT)
        return file

    async def _require_metered(self, batch: Batch | None) -> None:
        """Meters a batch before anybody gets its results. Raises RefusedError if there are none yet."""
        if batch is not None and not await self._results.collect(batch):
            raise RefusedError(Code.NOT_FOUND, "The batch has not ended yet: there are no results.")
