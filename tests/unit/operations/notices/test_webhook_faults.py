from __future__ import annotations

import pytest

from softix_proxy.domain.ports.webhook_post import WebhookAnswer, WebhookFault
from softix_proxy.operations.notices.webhook_faults import explained


@pytest.mark.parametrize("fault", WebhookFault)
def test_every_fault_says_what_is_wrong_and_what_to_do(fault: WebhookFault) -> None:
    told = explained(WebhookAnswer(None, fault))
    assert told.message and told.remedy and told.message[0].islower()


def test_refusal_names_the_status_of_the_answer() -> None:
    assert explained(WebhookAnswer(503, WebhookFault.REFUSED)).message.endswith("it answered 503")
