"""Serves all requests about stored objects by one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from softix_proxy.dialects.batches import LINE_ENDPOINTS
from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.relay.batch.batches import Batches
from softix_proxy.relay.core.inbound import Client
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.stored_objects.batches import AnthropicBatchHandler, OpenAIBatchHandler
from softix_proxy.relay.stored_objects.files import FileHandler
from softix_proxy.relay.stored_objects.handler import ResourceHandler
from softix_proxy.relay.stored_objects.operation_table import parse
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest

HANDLERS: Mapping[str, type[ResourceHandler]] = {
    "/messages/batches": AnthropicBatchHandler,
    "/batches": OpenAIBatchHandler,
    "/files": FileHandler,
}
"""The handler for each folder of the operation table."""
_OF_LINES = tuple(ENDPOINTS[name] for name in LINE_ENDPOINTS)
_MADE_OF: Mapping[str, Sequence[Endpoint]] = {
    "/messages/batches": (ENDPOINTS["messages"],),
    "/batches": _OF_LINES,
    "/files": _OF_LINES,
}
"""The endpoints of the requests that such objects are made of."""


async def serve(lifecycle: Lifecycle, batches: Callable[[], Batches], request: ResourceRequest, client: Client) -> None:
    """Answers the client. `batches` makes them at the first use. Raises RefusedError, ClientGoneError, FailureError."""
    caller = await lifecycle.enter(request.credential, request.address, request.user_agent, request.tls)
    folder, names = parse(request.path)
    if request.is_heavy:
        await lifecycle.require_eligible(request.credential, request.address, _MADE_OF[folder])
    await HANDLERS[folder](batches(), caller, request, client).handle(names)
