"""The webhook of Stripe. It answers 200 only when what the event caused is committed."""

from __future__ import annotations

import logging

from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.payment_gateway import WebhookRefusedError
from softix_proxy.operations.ledger import payments
from softix_proxy.web.portal.core.page import Answer, Content, PageRequest

log = logging.getLogger("softix.payments")
_TEXT = "text/plain; charset=utf-8"
_LATER = 503
_SIGNATURE = "stripe-signature"


async def receive_event(request: PageRequest) -> Answer:
    """Handles one event. Stripe sends it again, for three days, after any other answer than 2xx."""
    service = request.payments
    if service is None:
        return _answer(_LATER)
    try:
        hint = await service.read_event(request.body, request.headers.get(_SIGNATURE))
        await payments.handle_event(await service.context(), hint)
    except WebhookRefusedError as refused:
        log.warning("refused a message to the webhook", extra={"status": refused.status})
        return _answer(refused.status)
    except OperatorError as error:
        log.warning("could not handle an event", extra={"error": type(error).__name__})
        return _answer(_LATER)
    return _answer(200)


def _answer(status: int) -> Content:
    """Returns an answer without words: whoever sends wrong messages learns nothing from it."""
    return Content(b"", _TEXT, status)
