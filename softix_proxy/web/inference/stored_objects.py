"""The handler of files and batches, which clients store at providers. The relay defines the operations on them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from functools import partial

from aiohttp import web

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.request.charsets import require_utf8
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.stored_objects.operation_table import OPERATIONS, VERBS_OF_GOOGLE, find_operation
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest
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
"""The folders, each with the families of its clients.

Anthropic's files are not served, because a request that names one would reach any user's file.
"""


def _operations() -> Iterator[tuple[str, str]]:
    """Yields the operations as patterns. A word after a colon is the form of Google's clients."""
    for folder, operations in OPERATIONS.items():
        for each in operations:
            yield each.method, "/".join((folder, "{id}", *each.path[1:])) if each.path else folder
            for word, part in VERBS_OF_GOOGLE.items():
                if each.path[1:] == (part,):
                    yield each.method, f"{folder}/{{id}}:{word}"


def serve(context: RequestContext) -> Awaitable[web.StreamResponse]:
    client = exchange.downstream_of(context, HttpDownstream)
    return exchange.run(context, client, _serve(context, client))


async def _serve(context: RequestContext, client: HttpDownstream) -> None:
    # the import is late, because few clients store anything
    from softix_proxy.relay.stored_objects.service import serve as answer

    require_utf8(context.named.get("content-type", ""))
    app, method = context.app, context.request.method
    operation = find_operation(method, context.path)
    if operation is None and sdk_calls.can_call(method, context.path):
        raise RefusedError(Code.ENDPOINT_NOT_METERED, KNOWN)
    upload = None
    if operation is not None and (decides := operation.form_field):
        upload = FormUpload(
            context.request, frozenset((decides,)), app.max_body_bytes, app.body_timeout_s, decides=decides
        )
    request = ResourceRequest(
        method,
        context.path,
        context.query,
        context.headers,
        context.credential,
        context.address,
        partial(context.receive, upload.head) if upload else context.read_body,
        upload,
        context.family,
        context.has_heavy_body,
        context.user_agent,
        context.tls,
    )
    await answer(app.lifecycle, app.batches, request, client)


def _routes() -> list[Route]:
    """Returns the routes. The same handler refuses everything else below a folder, once the key is known."""
    operations = list(_operations())
    patterns = dict.fromkeys(pattern for _, pattern in operations)
    refused = [(ANY, pattern) for pattern in (*patterns, *(f"{folder}/{{rest:path}}" for folder, _ in FOLDERS))]
    clients = dict(FOLDERS)
    return [
        Route(method, pattern, serve, Auth.API_KEY_IN_HANDLER, families=clients[_folder_of(pattern)])
        for method, pattern in (*operations, *refused)
    ]


def _folder_of(pattern: str) -> str:
    return pattern.partition("/{")[0]


ROUTES: Sequence[Route] = _routes()
