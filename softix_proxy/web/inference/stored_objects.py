"""The handler of what clients keep at providers: files and batches. The relay knows what can be done with them."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from aiohttp import web

from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.inference import exchange, sdk_calls
from softix_proxy.web.inference.unserved import KNOWN
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.route import ANY, Auth, Route
from softix_proxy.web.server.form_upload import FormUpload
from softix_proxy.web.server.http_downstream import HttpDownstream

FOLDERS: Sequence[tuple[str, tuple[Family, ...]]] = (
    ("/files", ("openai", "gemini")),
    ("/batches", ()),
    ("/messages/batches", ()),
)
"""Whose clients each is for. Anthropic's files are not served: who names one would reach it whoever it belongs to."""
_OPERATIONS: Sequence[tuple[str, str]] = (
    ("POST", "/files"),
    ("GET", "/files"),
    ("GET", "/files/{id}"),
    ("DELETE", "/files/{id}"),
    ("GET", "/files/{id}/content"),
    ("GET", "/files/{id}:download"),
    ("POST", "/batches"),
    ("GET", "/batches"),
    ("GET", "/batches/{id}"),
    ("POST", "/batches/{id}/cancel"),
    ("POST", "/batches/{id}:cancel"),
    ("POST", "/messages/batches"),
    ("GET", "/messages/batches"),
    ("GET", "/messages/batches/{id}"),
    ("DELETE", "/messages/batches/{id}"),
    ("GET", "/messages/batches/{id}/results"),
    ("POST", "/messages/batches/{id}/cancel"),
    ("POST", "/messages/batches/{id}:cancel"),
)
"""What can be done. A word behind a colon is how Google's clients write it."""


def serve(context: RequestContext) -> Awaitable[web.StreamResponse]:
    client = exchange.downstream_of(context, HttpDownstream)
    return exchange.run(context, client, _serve(context, client))


async def _serve(context: RequestContext, client: HttpDownstream) -> None:
    from softix_proxy.web.batches import keeper_of  # late: few clients keep anything
    from softix_proxy.web.files import FORM
    from softix_proxy.web.kept import Wish

    app, method = context.app, context.request.method
    keeper, names = keeper_of(context.path)
    if not keeper.serves(method, names) and sdk_calls.can_call(method, context.path):
        raise RefusedError(Code.ENDPOINT_NOT_METERED, KNOWN)
    caller = await app.lifecycle.identify(context.credential, context.address)
    upload = None
    if context.path == "/files" and method == "POST":
        upload = FormUpload(context.request, FORM, app.max_body_bytes, app.body_timeout_s, decides="purpose")
    body = upload.head if upload else context.read_body
    wish = Wish(
        method, context.query, context.headers, context.credential, context.address, body, upload, context.family
    )
    await keeper(app.batches(), caller, wish, client).answer(names)


def _routes() -> list[Route]:
    """Whatever else comes below a folder is refused by the same handler, once the key is known."""
    patterns = dict.fromkeys(pattern for _, pattern in _OPERATIONS)
    refused = [(ANY, pattern) for pattern in (*patterns, *(f"{folder}/{{rest:path}}" for folder, _ in FOLDERS))]
    clients = dict(FOLDERS)
    return [
        Route(method, pattern, serve, Auth.API_KEY_IN_HANDLER, families=clients[_folder_of(pattern)])
        for method, pattern in (*_OPERATIONS, *refused)
    ]


def _folder_of(pattern: str) -> str:
    return pattern.partition("/{")[0]


ROUTES: Sequence[Route] = _routes()
