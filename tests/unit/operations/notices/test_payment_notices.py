from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.listening import heard, listen
from support.paying import Paying, paying

from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.payments import PaymentPosting, PostingCause
from softix_proxy.domain.notices.contents import CONTENTS
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.notices import payment_notices


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


async def test_each_message_has_the_values_that_its_kind_shows(lab: Paying) -> None:
    payment = await lab.payment(await lab.begin(2500))
    paused = AutoTopUp(1, True, 500, 2500, 5000, failures=3, paused_at_us=1)
    async with lab.storage.writing() as unit:
        for number, cause in enumerate((PostingCause.REFUND, PostingCause.DISPUTE)):
            posting = PaymentPosting(lab.clock.now_us() + number, payment.id, cause, -5, -500, 1)
            await payment_notices.posted(unit, payment, posting, "CRN-1")
        await payment_notices.failed(unit, payment)
        await payment_notices.paused(unit, payment, paused)
        await payment_notices.foreign_currency(unit, payment)
    told = await lab.notices()
    assert [notice.kind for notice in told] == [
        NoticeKind.REFUNDED, NoticeKind.DISPUTED, NoticeKind.OPERATOR_ALERT, NoticeKind.PAYMENT_FAILED,
        NoticeKind.AUTO_TOP_UP_PAUSED, NoticeKind.OPERATOR_ALERT,
    ]  # fmt: skip
    for notice in told:
        assert set(CONTENTS[notice.kind].values) <= set(notice.values), notice.kind
        assert notice.email == "ada@example.org"


async def test_message_about_one_thing_is_added_once(lab: Paying) -> None:
    payment = await lab.payment(await lab.begin(2500))
    for _ in range(3):
        async with lab.storage.writing() as unit:
            await payment_notices.failed(unit, payment)
            await payment_notices.foreign_currency(unit, payment)
    assert len(await lab.notices()) == 2


async def test_money_that_comes_back_and_money_that_is_held_are_not_told(lab: Paying) -> None:
    payment = await lab.payment(await lab.begin(2500))
    async with lab.storage.writing() as unit:
        for cause, cents in ((PostingCause.DISPUTE, 500), (PostingCause.REFUND, 500), (PostingCause.HOLD, -500)):
            await payment_notices.posted(unit, payment, PaymentPosting(1, 1, cause, cents, cents, 1), "")
    assert await lab.notices() == []


async def test_payment_in_live_mode_does_not_say_test(lab: Paying) -> None:
    payment = replace(await lab.payment(await lab.begin(2500)), is_live=True)
    async with lab.storage.writing() as unit:
        await payment_notices.failed(unit, payment)
    [notice] = await lab.notices()
    assert notice.values["amount"] == "$25.00"


async def test_endpoint_is_told_of_what_happens_to_a_payment_once_each(lab: Paying) -> None:
    await listen(lab.storage)
    payment = await lab.payment(await lab.begin(2500))
    paused = AutoTopUp(1, True, 500, 2500, 5000, failures=3, paused_at_us=1)
    for _ in range(2):
        async with lab.storage.writing() as unit:
            for number, (cause, cents) in enumerate(
                ((PostingCause.PAYMENT, 2500), (PostingCause.REFUND, -500), (PostingCause.DISPUTE, -300))
            ):
                posting = PaymentPosting(number + 1, payment.id, cause, cents, cents, 1)
                await payment_notices.posted(unit, payment, posting, "RCT-1")
            await payment_notices.failed(unit, payment)
            await payment_notices.paused(unit, payment, paused)
    told = await heard(lab.storage)
    assert [(kind, data["amount_usd"]) for kind, data in told] == [
        (EventKind.PAYMENT_RECEIVED, "25.00"),
        (EventKind.PAYMENT_REFUNDED, "5.00"),
        (EventKind.PAYMENT_DISPUTED, "3.00"),
        (EventKind.PAYMENT_FAILED, "25.00"),
        (EventKind.AUTO_TOP_UP_PAUSED, "25.00"),
    ]
    received = told[0][1]
    assert (received["payment"], received["live"], received["document"]) == (payment.public_id, False, "RCT-1")
