"""From an HTTP request to its handler, and from every error to an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from aiohttp import web

from softix_proxy.dialects.core import queries
from softix_proxy.dialects.core.base import Endpoint, Family
from softix_proxy.dialects.core.deployments import with_model
from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import Code, OperatorError, RefusedError
from softix_proxy.domain.core.ids import RequestIds, format_request_id
from softix_proxy.domain.instance import open_files
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.relay.core.inbound import ClientGoneError, Inbound
from softix_proxy.relay.settlement.hold import cost_headers
from softix_proxy.relay.stored_objects.operation_table import find_operation
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest
from softix_proxy.web import bodies, errors, scrapes, sdk_calls
from softix_proxy.web.addresses import Addresses
from softix_proxy.web.client import HttpClient
from softix_proxy.web.connection import SERVER, Connection
from softix_proxy.web.forms import Upload
from softix_proxy.web.routes import (
    NAMED,
    PAGES,
    Handler,
    Place,
    inference,
    is_kept,
    locate,
    without_azures,
)
from softix_proxy.web.scrapes import Scrapers
from softix_proxy.web.sockets import SocketGuest, asks_for, key_of, opening_of, told_by_protocols
from softix_proxy.web.unserved import KNOWN, refusal
from softix_proxy.web.visit import House, Visit

log = logging.getLogger("softix.web")
_Client = TypeVar("_Client", HttpClient, SocketGuest)
_OUT_OF_FILES = "softix has reached its limit of open files. Try again."
_READS = frozenset(("GET", "HEAD"))


@dataclass(slots=True)
class App:
    house: House
    clock: Clock
    ids: RequestIds
    addresses: Addresses
    max_body_bytes: int
    body_timeout_s: float
    running: set[asyncio.Task[web.StreamResponse]] = field(default_factory=set)
    """One for each inference request; the daemon waits for them when it stops, and cancels what is left."""
    scrapers: Scrapers = field(default_factory=Scrapers)

    def take(self, server: ServerSection) -> None:
        """What the operator set, for the requests to come."""
        self.addresses = Addresses(server.trusted_proxies)
        self.max_body_bytes, self.body_timeout_s = server.max_body_bytes, server.body_timeout_s
        self.scrapers.take(server)

    def new_request_id(self) -> str:
        return format_request_id(self.ids.next(self.clock.now_us()))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        started_ns, started_at_us = self.clock.monotonic_ns(), self.clock.now_us()
        number = self.ids.next(started_at_us)
        request_id = format_request_id(number)
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        named = dict(headers)
        raw_path, _, query = request.raw_path.partition("?")
        place = locate(raw_path)
        path = place.path
        endpoint: Endpoint | None = None
        family = _family(place, named)
        response: web.Response
        try:
            opening = asks_for(path, request.method, named)
            credential = _credential(named) or (key_of(named) if opening else None)
            if query:
                _refuse_key(query, credential)
                query = without_azures(query) if place.of_azure else query
            endpoint = REALTIME if opening else inference(path, query)
            if endpoint is not None:
                family = endpoint.family
                query = queries.passing(query, family) if query else ""
            address = self.addresses.of(_peer(request), named.get("x-forwarded-for"))
            if endpoint is None and is_kept(path, family):
                kept = partial(self._keep, request, path, query, headers, credential, address, family)
                return await self._answered(request, request_id, HttpClient, kept)
            if endpoint is None or not (opening or request.method == "POST"):
                if path == scrapes.PATH:
                    self.scrapers.admit(request, named)
                visit = Visit(self.house, family, "", credential, address)
                response = await self._read(request.method, path, endpoint, named, visit)
            else:
                body, rest = self._body(request, endpoint, place.deployment)
                inbound = Inbound(
                    id=number,
                    public_id=request_id,
                    endpoint=endpoint,
                    path=f"{endpoint.path}?{query}" if query and not opening else endpoint.path,
                    headers=[*headers, *told_by_protocols(named)] if opening else headers,
                    credential=credential,
                    address=address,
                    started_at_us=started_at_us,
                    started_ns=started_ns,
                    read_body=body,
                    rest=rest,
                )
                return await self._relay(request, inbound)
        except RefusedError as error:
            self.house.monitor.count_refusal("-" if endpoint is None else endpoint.name, error.code)
            response = errors.answer(family, error, request_id)
        response.headers["x-softix-request-id"] = request_id
        response.headers["Server"] = SERVER
        if response.content_type == "application/json":
            took_ns = self.clock.monotonic_ns() - started_ns
            for name, value in cost_headers(0, took_ns):
                response.headers.setdefault(name, value)
        return response

    def _body(
        self, request: web.BaseRequest, endpoint: Endpoint, deployment: str
    ) -> tuple[Callable[[], Awaitable[bytes]], Upload | None]:
        read: Callable[[], Awaitable[bytes]]
        if endpoint is REALTIME:
            return partial(opening_of, request, request.raw_path.partition("?")[2]), None
        if endpoint.form_fields is None:
            read, upload = partial(bodies.read, request, self.max_body_bytes, self.body_timeout_s), None
        else:
            upload = Upload(request, endpoint.form_fields, self.max_body_bytes, self.body_timeout_s)
            read = upload.head
        return (partial(_named_by_path, read, endpoint, deployment) if deployment else read), upload

    async def _relay(self, request: web.BaseRequest, inbound: Inbound) -> web.StreamResponse:
        if inbound.endpoint is REALTIME:
            return await self._answered(request, inbound.public_id, SocketGuest, partial(self._converse, inbound))
        serve = partial(self.house.lifecycle.serve, inbound)
        return await self._answered(request, inbound.public_id, HttpClient, serve)

    async def _converse(self, inbound: Inbound, client: SocketGuest) -> None:
        if (code := await self.house.sessions.serve(inbound, client)) is not None:
            self.house.monitor.count_refusal(REALTIME.name, code)

    async def _keep(
        self,
        request: web.BaseRequest,
        path: str,
        query: str,
        headers: list[tuple[str, str]],
        credential: str | None,
        address: str,
        family: Family,
        client: HttpClient,
    ) -> None:
        """What is kept at a provider: batches and their files."""
        from softix_proxy.relay.stored_objects.service import serve  # late: few clients store anything

        operation = find_operation(request.method, path)
        if operation is None and sdk_calls.can_call(request.method, path):
            raise RefusedError(Code.ENDPOINT_NOT_METERED, KNOWN)
        limits, upload = (self.max_body_bytes, self.body_timeout_s), None
        if operation is not None and (decides := operation.form_field):
            upload = Upload(request, frozenset((decides,)), *limits, decides=decides)
        body = upload.head if upload else partial(bodies.read, request, *limits)
        asked = ResourceRequest(request.method, path, query, headers, credential, address, body, upload, family)
        await serve(self.house.lifecycle, self.house.batches, asked, client)

    async def _answered(
        self,
        request: web.BaseRequest,
        public_id: str,
        speaks: type[_Client],
        serve: Callable[[_Client], Awaitable[None]],
    ) -> web.StreamResponse:
        """Whatever goes wrong becomes an answer, or the end of the connection where one has begun."""
        if self.house.monitor.draining:
            raise RefusedError(Code.SHUTTING_DOWN, "softix is stopping. Try again in a moment.", retry_after_s=1)
        connection = request.protocol
        assert isinstance(connection, Connection)  # noqa: S101 - aiohttp's type is wider: `web.server` makes no other
        client = speaks(request, connection, public_id)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        self.running.add(task)
        try:
            await serve(client)
        except ClientGoneError:
            connection.force_close()
        except RefusedError:
            raise
        except OperatorError:
            raise _books_unreadable() from None
        except Exception as error:
            if client.response is None and open_files.are_used_up(error):
                raise RefusedError(Code.OUT_OF_FILES, _OUT_OF_FILES, retry_after_s=1) from None
            log.exception("a request failed", extra={"request_id": public_id, "error": type(error).__name__})
            if client.response is not None:
                connection.force_close()
            else:
                raise RefusedError(Code.INTERNAL, "softix failed. The operator finds it in the log.") from None
        finally:
            connection.when_gone = None
            self.running.discard(task)
        return client.response or web.Response(status=499)

    async def _read(
        self, method: str, path: str, endpoint: Endpoint | None, named: dict[str, str], visit: Visit
    ) -> web.Response:
        handler, name = _find(path)
        posts = endpoint is not None
        if posts or handler is None or method not in _READS:
            refused = refusal(method, path, posts=posts)
            if "websocket" in named.get("upgrade", "").lower() and (posts or refused.code is Code.NOT_FOUND):
                raise RefusedError(Code.UPGRADE_REQUIRED, "WebSockets are not spoken here: use POST with streaming.")
            raise refused
        try:
            answer = await handler(Visit(visit.house, visit.family, name, visit.credential, visit.address))
        except OperatorError:
            raise _books_unreadable() from None
        response = web.Response(status=answer.status, body=answer.body)
        response.headers["Content-Type"] = answer.content_type
        return response


async def _named_by_path(read: Callable[[], Awaitable[bytes]], endpoint: Endpoint, model: str) -> bytes:
    return with_model(endpoint, await read(), model)


def _books_unreadable() -> RefusedError:
    return RefusedError(Code.STORAGE_UNAVAILABLE, "softix cannot read its books now.", retry_after_s=5)


def _find(path: str) -> tuple[Handler | None, str]:
    if path in PAGES:
        return PAGES[path], ""
    for prefix, handler in NAMED.items():
        if path.startswith(prefix):
            return handler, path[len(prefix) :]
    return None, ""


def _family(place: Place, named: dict[str, str]) -> Family:
    """Whose errors and lists are understood, by what its SDKs always send."""
    if place.family is not None:
        return place.family
    if "x-goog-api-key" in named:
        return "gemini"
    return "anthropic" if "anthropic-version" in named or place.path.startswith("/messages") else "openai"


def _refuse_key(query: str, credential: str | None) -> None:
    """As Google's parameter, or under whatever name the key is that came in a header too."""
    if (credential and credential in query) or any(part.startswith("key=") for part in query.split("&")):
        raise RefusedError(
            Code.INVALID_API_KEY, "Send the API key in a header, as x-goog-api-key: an address ends up in logs."
        )


def _credential(named: dict[str, str]) -> str | None:
    """From whichever header a client has it in; keys in the query would end up in logs."""
    bearer = named.get("authorization", "")
    if bearer[:7].lower() == "bearer ":
        return bearer[7:].strip()
    return named.get("x-api-key") or named.get("x-goog-api-key") or named.get("api-key")


def _peer(request: web.BaseRequest) -> str:
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport is not None else None
    return str(peer[0]) if isinstance(peer, (tuple, list)) and peer else ""
