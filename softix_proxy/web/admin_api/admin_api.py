"""Answers the calls of the admin API: each is a command, with its parameters as JSON and its result as the answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from softix_proxy.domain.access.versions import version_of
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.core.errors import BadInputError, NotPermittedError
from softix_proxy.domain.ports.admin_commands import AdminAnswer, AdminCall, AdminCommand
from softix_proxy.domain.privacy.technical_data import CallOrigin, checked_address
from softix_proxy.operations.admin_api import token_guesses
from softix_proxy.operations.privacy.user_agents import agent_of
from softix_proxy.web.admin_api import openapi, pages, problems
from softix_proxy.web.admin_api.api_context import PREFIX, ApiContext
from softix_proxy.web.admin_api.problems import ApiError
from softix_proxy.web.admin_api.values import values_of_body, values_of_query
from softix_proxy.web.server import request_body
from softix_proxy.web.server.client_address import peer_of
from softix_proxy.web.server.client_connection import SERVER, tls_of

R = TypeVar("R", bound=web.StreamResponse)
_BODY_BYTES: Final = 64 * 1024
_FILE_BYTES: Final = 16 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_BEARER: Final = "bearer "
_JSON: Final = "application/json"
_FIXED: Final = (
    ("Server", SERVER),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)


class AdminApi:
    """Answers every request below `/admin/v1/`."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        request_id = f"adm_{secrets.token_hex(8)}"
        try:
            response = await self._answer(request, request_id)
        except Exception as error:  # noqa: BLE001 - an error of any kind becomes a problem document
            response = self._headed(problems.problem(error, request_id), request_id)
        return response

    async def _answer(self, request: web.BaseRequest, request_id: str) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if not self._context.url.is_named_by(request.headers.get("host")):
            raise ApiError(421, "this host name is not served here", "call the portal by its public URL")
        table = await self._context.commands.table()
        if path == f"{PREFIX}/openapi.json" and request.method == "GET":
            document = openapi.document(table.values(), self._context.url.origin)
            return self._headed(web.Response(body=json.dumps(document).encode(), content_type=_JSON), request_id)
        token = await self._token(request)
        command = _found(table, path, request.method)
        values, wish = await self._values(command, request, query)
        call = AdminCall(
            name=command.name,
            values=values,
            token=token,
            version=_version(request),
            idempotency_key=request.headers.get("Idempotency-Key") or None,
            origin=await self._origin(request),
        )
        answer = await self._context.commands.run(call)
        if answer.file is not None:
            return await self._file(request, answer, request_id)
        return self._headed(self._json(command, answer, query, wish), request_id)

    async def _token(self, request: web.BaseRequest) -> str:
        """Returns the token of the call, which is valid. Raises ApiError, and RefusedError after too many guesses."""
        given = request.headers.get("Authorization", "")
        if not given.lower().startswith(_BEARER):
            raise problems.not_signed_in("the call has no admin token", "send it as: Authorization: Bearer sx_admin_…")
        token, context = given[len(_BEARER) :].strip(), self._context
        address = self._address(request)
        roles = context.settings.roles.table
        try:
            await token_guesses.door(context.storage, context.vault, token, address, Channel.API, roles)
        except NotPermittedError as error:
            raise problems.not_signed_in(error.message, error.remedy) from None
        return token

    def _address(self, request: web.BaseRequest) -> str:
        return self._context.client_addresses.of(peer_of(request), request.headers.get("X-Forwarded-For"))

    async def _origin(self, request: web.BaseRequest) -> CallOrigin:
        agent = await agent_of(request.headers.get("User-Agent", ""))
        return CallOrigin(checked_address(self._address(request)), agent, tls_of(request))

    async def _values(
        self, command: AdminCommand, request: web.BaseRequest, query: str
    ) -> tuple[dict[str, Any], pages.PageWish | None]:
        if command.method == "GET":
            more = pages.PAGE_PARAMETERS if command.is_list else ()
            values = values_of_query(command, query, more)
            if not command.is_list:
                return values, None
            wish = pages.wish_of(values)
            if any(each.name == pages.LIMIT for each in command.parameters):
                values[pages.LIMIT] = wish.rows
            return values, wish
        if query:
            raise BadInputError("a change takes no query", "send the parameters as a JSON object in the body")
        most_bytes = _FILE_BYTES if any(each.is_file for each in command.parameters) else _BODY_BYTES
        body = await request_body.read(request, most_bytes, self._context.body_timeout_s)
        kind = request.headers.get("Content-Type", _JSON if not body else "").partition(";")[0].strip().lower()
        if kind != _JSON:
            raise ApiError(415, "the body is not JSON", f"send Content-Type: {_JSON}")
        return values_of_body(command, body), None

    def _json(
        self, command: AdminCommand, answer: AdminAnswer, query: str, wish: pages.PageWish | None
    ) -> web.Response:
        value, headers = answer.value, {}
        if wish is not None and isinstance(value, list):
            value, cursor = pages.page_of(value, wish)
            if cursor is not None:
                headers["Link"] = f'<{self._context.url.origin}{_next(command, query, cursor)}>; rel="next"'
        if command.has_version:
            headers["ETag"] = f'"{version_of(value)}"'
        if answer.is_repeated:
            headers["Idempotency-Replayed"] = "true"
        body = json.dumps(value, ensure_ascii=False).encode()
        response = web.Response(body=body, content_type=_JSON, headers=headers)
        return _with_exit_code(response, answer)

    async def _file(self, request: web.BaseRequest, answer: AdminAnswer, request_id: str) -> web.StreamResponse:
        response = _with_exit_code(self._headed(web.StreamResponse(), request_id), answer)
        response.headers["Content-Type"] = answer.content_type
        response.headers["Content-Disposition"] = "attachment"
        await response.prepare(request)
        async for chunk in _chunks(answer):
            await response.write(chunk)
        await response.write_eof()
        return response

    def _headed(self, response: R, request_id: str) -> R:
        for name, value in (*_FIXED, ("x-softix-request-id", request_id)):
            response.headers[name] = value
        if self._context.url.is_https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response


def _found(table: Mapping[str, AdminCommand], path: str, method: str) -> AdminCommand:
    name = path.removeprefix(f"{PREFIX}/").replace("/", ".")
    command = table.get(name)
    if command is None or path != f"{PREFIX}/{command.path}":
        raise ApiError(404, "there is no such call", f"see {PREFIX}/openapi.json")
    if method != command.method:
        raise ApiError(405, f"this call is a {command.method}", headers=(("Allow", command.method),))
    return command


def _version(request: web.BaseRequest) -> str | None:
    """Returns the version of `If-Match`. Raises BadInputError for what is no strong tag (RFC 9110, section 13.1.1)."""
    given = request.headers.get("If-Match")
    if given is None:
        return None
    text = given.strip()
    if len(text) < 3 or not (text[0] == text[-1] == '"') or '"' in text[1:-1]:
        raise BadInputError("If-Match is not one ETag", "send the ETag of the answer that you have read, in quotes")
    return text[1:-1]


def _next(command: AdminCommand, query: str, cursor: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != pages.CURSOR]
    return f"{PREFIX}/{command.path}?{urlencode([*kept, (pages.CURSOR, cursor)])}"


def _with_exit_code(response: R, answer: AdminAnswer) -> R:
    if answer.exit_code:
        response.headers["x-softix-exit-code"] = str(answer.exit_code)
    return response


async def _chunks(answer: AdminAnswer) -> AsyncIterator[bytes]:
    assert answer.file is not None, "the caller asked for a file"  # noqa: S101
    with answer.file as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
