"""Checks that a message to the webhook is Stripe's, and reads what it is about.

The rules are Stripe's (https://docs.stripe.com/webhooks#verify-manually): HMAC-SHA256 over `t.body` with the secret of
the endpoint, in the scheme `v1`. The SDK accepts a time in the future, and its errors hold the body; so this is ours.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.ports.payment_gateway import EventHint, WebhookRefusedError
from softix_proxy.operations.ledger.payment_keys import is_webhook_secret

TOLERANCE_S = 300
"""How old a message may be, and how far ahead its clock: Stripe's own default is five minutes."""
_TIME = re.compile(r"\d{1,12}", re.ASCII)
_ID = re.compile(r"[a-z]{2,8}_[A-Za-z0-9_]{1,120}", re.ASCII)
_MOST_SIGNATURES = 16


def read_event(body: bytes, signature: str | None, secret: str | None, now_us: int) -> EventHint:
    """Checks the message and returns what it is about.

    Raises WebhookRefusedError: 503 as long as nothing can be checked (no usable secret, or no signature), and 400 for
    a wrong signature, a stale one, one from the future, and a body that is no event. There is no way around the check.
    """
    if secret is None or not is_webhook_secret(secret):
        raise WebhookRefusedError("the secret of the webhook is not set", 503)
    if not signature:
        raise WebhookRefusedError("the message has no signature", 503)
    _check(body, signature, secret, now_us)
    return _hint(body)


def _check(body: bytes, signature: str, secret: str, now_us: int) -> None:
    parts = [part.strip().partition("=") for part in signature.split(",")][: _MOST_SIGNATURES + 1]
    times = [value for name, _, value in parts if name == "t" and _TIME.fullmatch(value)]
    given = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not given:
        raise WebhookRefusedError("the signature has an unknown form", 400)
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(expected.encode(), value.encode()) for value in given):
        raise WebhookRefusedError("the signature is not that of the endpoint", 400)
    if abs(now_us // SECOND_US - int(times[0])) > TOLERANCE_S:
        raise WebhookRefusedError("the signature is too old, or from the future", 400)


def _hint(body: bytes) -> EventHint:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        event = None
    if not isinstance(event, dict) or event.get("object") != "event" or not isinstance(event.get("livemode"), bool):
        raise WebhookRefusedError("the body is no event", 400)
    event_id = _text(event.get("id"))
    if event_id is None:
        raise WebhookRefusedError("the body is no event", 400)
    data = event.get("data")
    return hint_of(event_id, event["livemode"], data.get("object") if isinstance(data, dict) else None)


def hint_of(event_id: str, is_live: bool, about: Any) -> EventHint:
    """Returns what an event is about: a page, or a payment. It has neither for an object of another kind."""
    if not isinstance(about, Mapping):
        return EventHint(event_id, is_live)
    kind = about.get("object")
    if kind == "checkout.session":
        return EventHint(event_id, is_live, _text(about.get("id")), _text(about.get("payment_intent")))
    if kind == "payment_intent":
        return EventHint(event_id, is_live, None, _text(about.get("id")))
    if kind in ("charge", "refund", "dispute"):
        return EventHint(event_id, is_live, None, _text(about.get("payment_intent")))
    return EventHint(event_id, is_live)


def _text(value: Any) -> str | None:
    if isinstance(value, Mapping):  # Stripe puts the object in place of its id if an endpoint asks for it
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
