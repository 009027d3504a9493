"""A message to the webhook is Stripe's, or it is refused: there is no way around it."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import json
import secrets

import pytest
import stripe

from softix_proxy.domain.ports.payment_gateway import EventHint, WebhookRefusedError
from softix_proxy.operations.ledger.payment_keys import is_webhook_secret
from softix_proxy.payments import webhook_signature
from softix_proxy.payments.webhook_signature import hint_of, read_event

NOW_S = 1_800_000_000
SECRET = f"whsec_{secrets.token_hex(16)}"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "livemode": False,
    "data": {"object": {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}},
}
BODY = json.dumps(EVENT).encode()


def sign(body: bytes = BODY, *, secret: str = SECRET, at_s: int = NOW_S) -> str:
    digest = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def refused(body: bytes, signature: str | None, secret: str | None = SECRET) -> int:
    with pytest.raises(WebhookRefusedError) as caught:
        read_event(body, signature, secret, NOW_S * 10**6)
    assert "evt_1" not in str(caught.value) and caught.value.__cause__ is None
    return caught.value.status


def test_message_that_the_sdk_signs_is_accepted() -> None:
    header = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, NOW_S)
    assert read_event(BODY, header, SECRET, NOW_S * 10**6) == EventHint("evt_1", False, None, "pi_1")
    rolled = f"t={NOW_S},v1={'0' * 64},v0=old,{header.partition(',')[2]}"  # while a secret is rolled, there are two
    assert read_event(BODY, rolled, SECRET, NOW_S * 10**6).id == "evt_1"


@pytest.mark.parametrize(
    "secret", [None, "", " ", "whsec_", "whsec_short", "x" * 40, f"whsec_{'a' * 23}", f"whsec_{'a' * 256}"]
)
def test_message_is_refused_by_503_if_the_secret_is_unset_empty_short_or_too_long(secret: str | None) -> None:
    """Cogtrix#119: an empty secret accepted everything."""
    assert refused(BODY, sign(secret=secret or ""), secret) == 503
    assert not is_webhook_secret(secret)


@pytest.mark.parametrize("signature", [None, ""])
def test_message_without_a_signature_is_refused_by_503(signature: str | None) -> None:
    assert refused(BODY, signature) == 503


def test_no_argument_switches_the_check_of_the_signature_off() -> None:
    assert list(inspect.signature(read_event).parameters) == ["body", "signature", "secret", "now_us"]
    names = [name for name, one in vars(webhook_signature).items() if isinstance(one, bool)]
    assert names == []


@pytest.mark.parametrize("ahead_s", [-301, 301, -86_400, 86_400])
def test_message_that_is_too_old_or_from_the_future_is_refused(ahead_s: int) -> None:
    """The SDK accepts a time that is a day ahead."""
    assert refused(BODY, sign(at_s=NOW_S + ahead_s)) == 400
    assert read_event(BODY, sign(at_s=NOW_S + (300 if ahead_s > 0 else -300)), SECRET, NOW_S * 10**6).id == "evt_1"


@pytest.mark.parametrize(
    "signature",
    [
        sign(secret=f"whsec_{'b' * 32}"),
        sign(b"{}"),
        f"t={NOW_S}",
        "v1=" + "0" * 64,
        "t=x,v1=y",
        f"t={NOW_S},t={NOW_S},v1={'0' * 64}",
        f"t={NOW_S},v1=é",
        "=" * 5000,
        f"t={NOW_S}" + ",v1=0" * 9999,
    ],
    ids=range(9),
)
def test_message_with_a_wrong_signature_is_refused(signature: str) -> None:
    assert refused(BODY, signature) == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"evt_1"', b"{", b"\xff\xfe", b'{"object": "event"}', b'{"object":"event","livemode":1}',
     b'{"id": "evt 1", "object": "event", "livemode": true}', b'{"id": [], "object": "event", "livemode": true}',
     b'{"id": "evt_1", "object": "v2.core.event", "livemode": true}'],
)  # fmt: skip
def test_signed_body_that_is_no_event_is_refused_without_an_error_that_has_it(body: bytes) -> None:
    """The SDK lets UnicodeDecodeError (which holds the body), AttributeError and ValueError through."""
    assert refused(body, sign(body)) == 400


@pytest.mark.parametrize(
    ("about", "session", "intent"),
    [
        ({"object": "checkout.session", "id": "cs_test_1", "payment_intent": None}, "cs_test_1", None),
        ({"object": "checkout.session", "id": "cs_test_1", "payment_intent": "pi_1"}, "cs_test_1", "pi_1"),
        ({"object": "payment_intent", "id": "pi_1"}, None, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": {"id": "pi_1"}}, None, "pi_1"),
        ({"object": "refund", "id": "re_1", "payment_intent": "pi_1"}, None, "pi_1"),
        ({"object": "dispute", "id": "du_1", "payment_intent": "pi_1"}, None, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1/../../x"}, None, None),
        ({"object": "customer", "id": "cus_1"}, None, None),
        ("pi_1", None, None),
        (None, None, None),
    ],
)
def test_hint_names_the_page_and_the_payment_of_an_event(about: object, session: str, intent: str) -> None:
    assert hint_of("evt_1", False, about) == EventHint("evt_1", False, session, intent)
