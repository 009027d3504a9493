from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from softix_proxy.domain.notices.webhook_signatures import new_secret, signed_headers

BODY = b'{"type":"balance.low","data":{"organisation_name":"\xc3\x89cole"}}'


def test_secret_is_of_the_length_that_the_specification_asks_for_and_never_the_same() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_") and len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret != new_secret()


def test_signature_is_that_of_the_example_of_the_specification() -> None:
    """From the reference libraries: https://github.com/standard-webhooks/standard-webhooks."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_receiver_with_either_secret_verifies_the_body_and_with_another_it_does_not() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers([new, old], "evt_a", int(time.time()), BODY)
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)["type"] == "balance.low"
    for secret, body in ((new_secret(), BODY), (new, BODY + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)
