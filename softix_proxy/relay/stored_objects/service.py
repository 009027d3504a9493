"""The door for requests about stored objects: which handler answers which path, and the one call that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from softix_proxy.relay.batches import Batches
from softix_proxy.relay.inbound import Client
from softix_proxy.relay.stored_objects.batches import AnthropicBatchHandler, OpenAIBatchHandler
from softix_proxy.relay.stored_objects.files import FileHandler
from softix_proxy.relay.stored_objects.handler import Operation, ResourceHandler, ResourceRequest

HANDLERS: Mapping[str, type[ResourceHandler]] = {
    "/messages/batches": AnthropicBatchHandler,
    "/batches": OpenAIBatchHandler,
    "/files": FileHandler,
}
"""The folder of each kind of object, as it stands in paths without the version, and who answers below it."""

_VERBS_OF_GOOGLE = {"download": "content", "cancel": "cancel"}
"""The word behind a name in Google's paths, and the part of the path that others have for it."""


def operation(method: str, path: str) -> Operation | None:
    """Returns what a request would do; None where nothing is done so."""
    handler, names = handler_of(path)
    return handler.operation(method, names)


def handler_of(path: str) -> tuple[type[ResourceHandler], Sequence[str]]:
    """Returns who answers below a path's folder, and its parts there: a name, and perhaps what is to be done."""
    folder = next(folder for folder in HANDLERS if path.startswith(folder))
    names = path[len(folder) :].split("/")[1:]
    if len(names) == 1 and (verb := _VERBS_OF_GOOGLE.get((parts := names[0].partition(":"))[2])):
        names = [parts[0], verb]
    return HANDLERS[folder], [*names[:1], *(name.lower() for name in names[1:])]


async def serve(batches: Batches, request: ResourceRequest, client: Client) -> None:
    """Answers the client. Raises RefusedError, ClientGoneError, FailureError."""
    caller = await batches.house.identify(request.credential, request.address)
    handler, names = handler_of(request.path)
    await handler(batches, caller, request, client).handle(names)
