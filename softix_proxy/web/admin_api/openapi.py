"""The description of the admin API (OpenAPI 3.1), made from the commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from softix_proxy import __version__
from softix_proxy.domain.ports.admin_commands import AdminCommand, AdminParameter, Json
from softix_proxy.web.admin_api import pages, problems
from softix_proxy.web.admin_api.api_context import PREFIX

_BEARER = "adminToken"
_TEXT: Json = {"type": "string"}
_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong."},
        "remedy": {"type": "string", "description": "What to do."},
        "request_id": {"type": "string", "description": "The number of the call in the daemon's log."},
    },
}
_IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A word of your own for this call. Whoever repeats the call with it within a day gets the first "
    "answer, and nothing is done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the thing as you have read it. If it was changed since, nothing is done.",
    "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
}


def document(commands: Iterable[AdminCommand], origin: str) -> dict[str, Any]:
    """Returns the description of these commands at an address."""
    listed = sorted(commands, key=lambda command: command.name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "softix-proxy admin API",
            "version": __version__,
            "description": "Each call is a command of the command line: the same words, parameters and fields.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": origin}],
        "security": [{_BEARER: []}],
        "paths": {f"{PREFIX}/{command.path}": {command.method.lower(): _operation(command)} for command in listed},
        "components": {
            "securitySchemes": {
                _BEARER: {"type": "http", "scheme": "bearer", "description": "A token of softix tokens create."}
            },
            "schemas": {"Problem": _PROBLEM},
            "responses": {
                "Problem": {
                    "description": "Nothing was done: `detail` says why, and `remedy` what to do.",
                    "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
        },
    }


def _operation(command: AdminCommand) -> Json:
    permission = command.operation.permission
    told: dict[str, Any] = {
        "operationId": command.name,
        "tags": [command.name.partition(".")[0]],
        "summary": command.summary,
        "description": "It needs no permission." if permission is None else f"It needs the permission `{permission}`.",
        "responses": _responses(command),
    }
    headers: list[Json] = []
    if command.operation.changes:
        headers.append(_IDEMPOTENCY)
    if command.is_versioned:
        headers.append(_IF_MATCH)
    if command.method == "GET":
        own = {pages.LIMIT} if command.is_list else set()
        listed = [each for each in command.parameters if each.name not in own]
        queries = [_query(each) for each in (*listed, *(pages.PAGE_PARAMETERS if command.is_list else ()))]
        told["parameters"] = [*queries, *headers]
        return told
    if headers:
        told["parameters"] = headers
    needed = [each.name for each in command.parameters if each.is_required]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: _described(each) for each in command.parameters},
        "additionalProperties": False,
    }
    if needed:
        schema["required"] = needed
    told["requestBody"] = {"required": bool(needed), "content": {"application/json": {"schema": schema}}}
    return told


def _query(parameter: AdminParameter) -> Json:
    told = {"name": parameter.name, "in": "query", "required": parameter.is_required, "schema": parameter.schema}
    return {**told, "description": parameter.help} if parameter.help else told


def _described(parameter: AdminParameter) -> Json:
    return {**parameter.schema, "description": parameter.help} if parameter.help else parameter.schema


def _responses(command: AdminCommand) -> Json:
    media = "*/*" if command.answer is None else "application/json"
    done: dict[str, Any] = {
        "description": "It is done. With `x-softix-exit-code: 1` it found what is not as it should be.",
        "content": {media: {"schema": command.answer} if command.answer else {}},
    }
    headers: dict[str, Any] = {}
    if command.has_version:
        headers["ETag"] = {"description": "The version, for If-Match.", "schema": _TEXT}
    if command.is_list:
        headers["Link"] = {"description": "The next page, if there is one: rel=next.", "schema": _TEXT}
    if headers:
        done["headers"] = headers
    return {
        "200": done,
        **{str(status): {"$ref": "#/components/responses/Problem"} for status in sorted(problems.STATUSES - {500})},
    }
