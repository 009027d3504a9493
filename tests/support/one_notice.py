"""One message in the outbox, one event for an endpoint, and one of all that belongs to them."""

from __future__ import annotations

from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind, WebhookEvent
from softix_proxy.domain.notices.webhooks import EndpointStatus, WebhookEndpoint
from softix_proxy.domain.ports.storage import Unit

ACCOUNT = 1
USER = 1


async def write_notices(unit: Unit) -> None:
    """Needs the user that owns the threshold. The message was given up, and so was the event."""
    notice = Notice(
        kind=NoticeKind.RECEIPT,
        email="ada@example.org",
        values={"amount": "$25.00"},
        account_id=ACCOUNT,
        once="bill:RCT-1:1",
    )
    await unit.outbox.add(notice, "msg_one", b"sealed", 71)
    [claimed] = await unit.outbox.claim(72, 73, 1)
    await unit.outbox.failed(claimed, None, "recipient_refused", 74)
    await unit.notice_preferences.mute(ACCOUNT, frozenset((NoticeKind.NEW_SIGN_IN,)))
    await unit.notice_preferences.set_thresholds(ACCOUNT, USER, [76, 75])
    await unit.notice_conditions.begin("low_balance:1", NoticeKind.LOW_BALANCE, 77)
    await _write_webhooks(unit)


async def _write_webhooks(unit: Unit) -> None:
    endpoint = await unit.webhooks.add(
        WebhookEndpoint(
            id=0,
            public_id="whk_one",
            url="https://example.org/softix",
            kinds=(EventKind.KEY_CREATED,),
            user_id=USER,
            status=EndpointStatus.ENABLED,
            allow_private=True,
            sealed_secret=b"sealed",
            sealed_old_secret=b"sealed before",
            old_secret_until_us=78,
            failing_since_us=None,
            created_at_us=79,
        )
    )
    event = WebhookEvent(kind=EventKind.KEY_CREATED, data={"key": "key_one"}, user_id=USER, once="key:1")
    assert await unit.webhooks.enqueue(event, "evt_one", 80) == 1
    claimed = await unit.webhooks.claim(endpoint.id, 81, 82)
    assert claimed is not None
    await unit.webhooks.failed(claimed, None, "refused", 503, 83)
