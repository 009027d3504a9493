"""The steps that all requests share. They are plain functions that are composed once, when the daemon starts.

Middleware that calls the next one inside a coroutine of its own costs time twice: at the beginning of a request, and
again for each chunk of a stream, which wakes through all of them. Here one coroutine calls each step in turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from softix_proxy.domain.core.errors import Code, OperatorError, RefusedError, UnusableError
from softix_proxy.relay.settlement.hold import cost_headers
from softix_proxy.web import errors
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.route import Auth, Handler
from softix_proxy.web.server.client_connection import SERVER

log = logging.getLogger("softix.web")
Choose = Callable[[RequestContext], Handler]
"""Returns the handler. Raises RefusedError."""
Rescue = Callable[[RequestContext, Exception], web.Response]
Finish = Callable[[RequestContext, web.Response], None]
"""Completes a response that softix makes by itself. A response of the relay is complete, and perhaps sent already."""
Guard = Callable[[Handler], Handler]


def compose(choose: Choose, rescue: Rescue, finish: Sequence[Finish]) -> Handler:
    own_answer = web.Response

    async def handle(context: RequestContext) -> web.StreamResponse:
        response: web.StreamResponse
        try:
            response = await choose(context)(context)
        except Exception as error:  # noqa: BLE001 - an error of any kind becomes a response
            response = rescue(context, error)
        if type(response) is own_answer:
            for step in finish:
                step(context, response)
        return response

    return handle


def answer_error(context: RequestContext, error: Exception) -> web.Response:
    refused = _as_refusal(context, error)
    context.app.monitor.count_refusal(context.label, refused.code)
    return errors.answer(context.family, refused, context.public_id)


def _as_refusal(context: RequestContext, error: Exception) -> RefusedError:
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, UnusableError):
        told, details = f"softix cannot use its books now: {error.reason}.", {"cause": error.code}
        return RefusedError(Code.STORAGE_UNAVAILABLE, told, 5, details)
    if isinstance(error, OperatorError):
        return RefusedError(Code.STORAGE_UNAVAILABLE, "softix cannot read its books now.", retry_after_s=5)
    log.error(
        "a request failed", exc_info=error, extra={"request_id": context.public_id, "error": type(error).__name__}
    )
    return RefusedError(Code.INTERNAL, "softix failed. The operator finds it in the log.")


def add_request_id(context: RequestContext, response: web.Response) -> None:
    response.headers["x-softix-request-id"] = context.public_id
    response.headers["Server"] = SERVER


def close_last_connection(context: RequestContext, response: web.Response) -> None:
    """Closes the connection after this response if the daemon will stop soon."""
    if context.app.monitor.leaving:
        response.force_close()


def add_cost_headers(context: RequestContext, response: web.Response) -> None:
    """Adds the cost headers. A response that softix makes by itself costs nothing."""
    if response.content_type == "application/json":
        took_ns = context.app.clock.monotonic_ns() - context.started_ns
        for name, value in cost_headers(0, took_ns):
            response.headers.setdefault(name, value)


def _require_api_key(handler: Handler) -> Handler:
    async def identified(context: RequestContext) -> web.StreamResponse:
        context.caller = await context.app.lifecycle.enter(
            context.credential, context.address, context.user_agent, context.tls
        )
        return await handler(context)

    return identified


def _require_metrics_network(handler: Handler) -> Handler:
    async def admitted(context: RequestContext) -> web.StreamResponse:
        context.app.metrics_access.admit(context.request, context.named)
        return await handler(context)

    return admitted


GUARDS: Mapping[Auth, Guard] = {
    Auth.PUBLIC: lambda handler: handler,
    Auth.API_KEY: _require_api_key,
    Auth.API_KEY_IN_HANDLER: lambda handler: handler,
    Auth.METRICS_NETWORK: _require_metrics_network,
}
"""The check before the handler of a route."""
