"""Serves all requests about stored objects by one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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


async def serve(lifecycle: Lifecycle, batches: Callable[[], Batches], request: ResourceRequest, client: Client) -> None:
    """Answers the client. `batches` makes them at the first use. Raises RefusedError, ClientGoneError, FailureError."""
    caller = await lifecycle.enter(request.credential, request.address)
    folder, names = parse(request.path)
    await HANDLERS[folder](batches(), caller, request, client).handle(names)
