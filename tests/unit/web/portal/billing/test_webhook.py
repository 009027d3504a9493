"""The webhook answers 200 only when what the event caused is committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.fake_stripe import Thing
from support.paying import Paying, paying

from softix_proxy.domain.core.errors import UnusableError
from softix_proxy.domain.ports.payment_gateway import EventHint
from softix_proxy.operations.ledger.payments import PaymentContext
from softix_proxy.payments.webhook_signature import read_event
from softix_proxy.settings import Settings
from softix_proxy.web.portal.billing.webhook import receive_event
from softix_proxy.web.portal.core.page import Content, PageRequest


class Service:
    def __init__(self, lab: Paying) -> None:
        self.lab, self.secret = lab, lab.fake.webhook_secret
        self.failure: Exception | None = None

    async def context(self) -> PaymentContext:
        if self.failure is not None:
            raise self.failure
        return self.lab.context

    async def is_live(self) -> bool:
        raise NotImplementedError

    async def read_event(self, body: bytes, signature: str | None) -> EventHint:
        return read_event(body, signature, self.secret, self.lab.clock.now_us())


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with paying(tmp_path) as lab:
        yield Service(lab)


def request(service: Service | None, body: bytes, signature: str | None) -> PageRequest:
    settings: Any = Settings
    nothing: Any = None
    return PageRequest(
        path="/webhooks/stripe",
        parts={},
        query={},
        form={},
        now_us=0,
        address="203.0.113.5",
        device="",
        storage=nothing,
        door=nothing,
        settings=settings,
        vault=nothing,
        hasher=nothing,
        url=nothing,
        body=body,
        headers={} if signature is None else {"stripe-signature": signature},
        payments=service,
    )


async def status(service: Service, event: Thing) -> int:
    answer = await receive_event(request(service, *service.lab.fake.signed(event)))
    assert isinstance(answer, Content) and answer.body == b""
    return answer.status


async def paid(service: Service) -> Thing:
    service.lab.fake.pay(await service.lab.begin(2500))
    event: Thing = service.lab.fake.events[-1]
    return event


async def test_event_is_answered_by_200_once_its_credit_is_committed(service: Service) -> None:
    event = await paid(service)
    assert await status(service, event) == 200
    assert await service.lab.credit_cents() == 2500
    assert await status(service, event) == 200
    assert await service.lab.credit_cents() == 2500


async def test_event_whose_look_up_fails_is_not_answered_by_200(service: Service) -> None:
    """woocommerce-stripe#5058: it answered 200, and the event was lost."""
    event = await paid(service)
    service.lab.fake.faults.statuses = [500] * 3
    assert await status(service, event) == 503
    assert await service.lab.credit_cents() == 0
    assert await status(service, event) == 200
    assert await service.lab.credit_cents() == 2500


async def test_event_is_not_answered_by_200_while_the_database_takes_nothing(service: Service) -> None:
    event = await paid(service)
    service.failure = UnusableError("full", "make room", code="SQLITE_FULL", reason="full")
    assert await status(service, event) == 503


@pytest.mark.parametrize("secret", ["", "whsec_short"])
async def test_webhook_without_a_usable_secret_answers_503(service: Service, secret: str) -> None:
    event = await paid(service)
    service.secret = secret
    body, signature = service.lab.fake.signed(event, secret=secret)
    answer = await receive_event(request(service, body, signature))
    assert isinstance(answer, Content) and answer.status == 503
    assert await service.lab.credit_cents() == 0


async def test_webhook_refuses_what_is_unsigned_or_wrongly_signed(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    event = await paid(service)
    body, signature = service.lab.fake.signed(event)
    for given, expected in ((None, 503), ("t=1,v1=0", 400), (signature.replace("v1=", "v1=0"), 400)):
        answer = await receive_event(request(service, body, given))
        assert isinstance(answer, Content) and answer.status == expected
    assert await service.lab.credit_cents() == 0 and event["id"] not in caplog.text


async def test_webhook_where_payments_are_off_answers_503() -> None:
    answer = await receive_event(request(None, b"{}", "t=1,v1=0"))
    assert isinstance(answer, Content) and answer.status == 503
