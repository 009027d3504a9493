from __future__ import annotations

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.payment_gateway import DeclinedError, EventHint, GatewayError, WebhookRefusedError


def test_errors_of_the_payment_provider_have_its_code_and_are_failures_for_an_operator() -> None:
    declined = DeclinedError("the payment was declined", "take another card", code="card_declined")
    assert isinstance(declined, GatewayError) and isinstance(declined, FailureError)
    assert (declined.code, declined.message, declined.remedy) == (
        "card_declined", "the payment was declined", "take another card",
    )  # fmt: skip
    assert GatewayError("no answer").code == ""


def test_refused_message_has_a_status_and_a_hint_names_nothing_by_itself() -> None:
    assert WebhookRefusedError("no signature", 503).status == 503
    assert EventHint("evt_1", True) == ("evt_1", True, None, None)
