from support.operators_pages import SUPPORT
from support.operators_side import OperatorsSide

from softix_proxy.domain.notices.outbox import NoticeState


async def test_mail_page_lists_messages_by_state_without_their_contents(side: OperatorsSide) -> None:
    text = (await side.ask(SUPPORT, "GET", "/admin/mail")).text
    assert "low balance" in text and "refused_recipient" in text and "given up (1)" in text
    assert "low balance" not in (await side.ask(SUPPORT, "GET", "/admin/mail", state="given-up")).text
    assert (await side.ask(SUPPORT, "GET", "/admin/mail", state="odd")).status == 200


async def test_message_that_was_given_up_waits_again_once(side: OperatorsSide) -> None:
    [given_up] = await side.storage.reading().outbox.list(NoticeState.GIVEN_UP, 9)
    path = f"/admin/mail/{given_up.public_id}/retry"
    assert (await side.ask(SUPPORT, "POST", path)).message == "flash.mail_waits"
    assert await side.storage.reading().outbox.list(NoticeState.GIVEN_UP, 9) == []
    assert (await side.ask(SUPPORT, "POST", path)).status == 409
    assert len(await side.storage.reading().audit.page(None, 9)) == 1
