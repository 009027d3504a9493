from support.operators_pages import ADMIN, AUDITOR
from support.operators_side import OperatorsSide
from support.principals import EVE

from softix_proxy.domain.accounts.audit import Outcome
from softix_proxy.domain.privacy.technical_data import Agent, CallOrigin


async def test_audit_page_lists_what_was_done_and_verifies_the_chain(side: OperatorsSide) -> None:
    await side.ask(ADMIN, "POST", "/admin/keys/key_one/revoke", {"sure": "yes"})
    text = (await side.ask(AUDITOR, "GET", "/admin/audit", verify="yes")).text
    assert "keys.revoke" in text and "key_one" in text and "acc_of_admin" in text
    assert "The chain is whole: 1 entry." in text
    connection = side.database.connect()
    connection.execute("DROP TRIGGER audit_is_not_changed")
    connection.execute("UPDATE audit SET subject = 'key_two'")
    connection.close()
    assert "broken at entry 1" in (await side.ask(AUDITOR, "GET", "/admin/audit", verify="yes")).text
    assert (await side.ask(AUDITOR, "GET", "/admin/audit", before="x")).status == 200


async def test_entry_is_shown_with_what_it_changed_and_without_free_text(side: OperatorsSide) -> None:
    form = {"name": "lovelace", "email": "ada@example.org", "display_name": "", "postpaid": "no"}
    await side.ask(ADMIN, "POST", "/admin/users/usr_ada/edit", form)
    text = (await side.ask(AUDITOR, "GET", "/admin/audit/1")).text
    assert "users.update" in text and "acc_of_admin" in text and "portal" in text
    assert "<code>postpaid</code>" in text and "<bdi>1</bdi></td><td><bdi>0</bdi>" in text
    assert "<code>name</code>" in text and "Its value is not kept." in text and "lovelace" not in text


async def test_refused_attempt_is_marked_and_changed_nothing(side: OperatorsSide) -> None:
    await side.ask(AUDITOR, "POST", "/admin/keys/key_one/revoke", {"sure": "yes"})
    assert "refused" in (await side.ask(AUDITOR, "GET", "/admin/audit")).text
    text = (await side.ask(AUDITOR, "GET", "/admin/audit/1")).text
    assert "refused" in text and "Nothing was changed." in text


async def test_entry_tells_from_where_it_was_done_as_long_as_that_is_kept(side: OperatorsSide) -> None:
    async with side.storage.writing() as unit:
        unit.origin = CallOrigin("192.0.2.7", Agent("Firefox", "140.0", "Linux"), "TLSv1.3")
        await unit.audit.add(EVE, "keys.update", "key_one", Outcome.DONE)
        unit.origin = CallOrigin("", Agent("softix", "0.1.0", ""))
        await unit.audit.add(EVE, "keys.update", "key_one", Outcome.DONE)
    text = (await side.ask(AUDITOR, "GET", "/admin/audit/1")).text
    assert "From where" in text and "<bdi>192.0.2.7</bdi>, Firefox 140.0, Linux, TLSv1.3" in text
    assert "at the machine itself" in (await side.ask(AUDITOR, "GET", "/admin/audit/2")).text
    async with side.storage.writing() as unit:
        await unit.technical_data.purge_all(99)
    assert "From where" not in (await side.ask(AUDITOR, "GET", "/admin/audit/1")).text
