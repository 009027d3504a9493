"""Takes reports of leaked keys. Without a valid signature or an operator's token, nothing is looked up."""

from __future__ import annotations

import asyncio
import json
import logging

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.core.errors import BadInputError, NotPermittedError, OperatorError, RefusedError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.abuse import leaks
from softix_proxy.operations.abuse.leak_signatures import is_signed_by_host
from softix_proxy.operations.admin_api import token_guesses
from softix_proxy.web.portal.core.page import Answer, Content, PageRequest

log = logging.getLogger("softix.abuse")
_JSON = "application/json"
_IDENTIFIER, _SIGNATURE = "github-public-key-identifier", "github-public-key-signature"


async def receive_report(request: PageRequest) -> Answer:
    """Answers with the label of each match: whether it is a key of this instance. Nothing of the body is logged."""
    storage = await _storage(request)
    if storage is None:
        log.warning("refused a report of leaked keys")
        return Content(b"", _JSON, 401)
    try:
        found = leaks.read_report(request.body)
        labels = await leaks.report(storage, request.vault, request.settings.roles.table, found)
    except BadInputError:
        return Content(b"", _JSON, 400)
    except OperatorError as error:
        log.warning("could not handle a report of leaked keys", extra={"error": type(error).__name__})
        return Content(b"", _JSON, 503)
    return Content(json.dumps(labels).encode(), _JSON, 200)


async def _storage(request: PageRequest) -> Storage | None:
    """Returns the storage for whoever may report, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await _storage_of_token(request, token.strip())
    is_signed = await asyncio.to_thread(
        is_signed_by_host,
        request.settings.abuse.leak_keys,
        request.headers.get(_IDENTIFIER, ""),
        request.headers.get(_SIGNATURE, ""),
        request.body,
    )
    return request.storage if is_signed else None


async def _storage_of_token(request: PageRequest, token: str) -> Storage | None:
    roles = request.settings.roles.table
    try:
        door = await token_guesses.door(request.door.storage, request.vault, token, request.address, Channel.API, roles)
    except (NotPermittedError, RefusedError):
        return None
    return door.recorded("abuse.report") if door.principal.may(Permission.ABUSE_WRITE) else None
