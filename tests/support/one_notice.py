"""One message in the outbox, and one of all that belongs to messages."""

from __future__ import annotations

from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Unit

ACCOUNT = 1
USER = 1


async def write_notices(unit: Unit) -> None:
    """Needs the user that owns the threshold. The message was given up."""
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
