from support.operators_pages import ADMIN, AUDITOR
from support.operators_side import OperatorsSide


async def test_audit_page_lists_what_was_done_and_verifies_the_chain(side: OperatorsSide) -> None:
    await side.ask(ADMIN, "POST", "/admin/keys/key_one/revoke", {"sure": "yes"})
    text = (await side.ask(AUDITOR, "GET", "/admin/audit", verify="yes")).text
    assert "revoked a key" in text and "key_one" in text and "acc_of_admin" in text
    assert "The chain is whole: 1 entry." in text
    connection = side.database.connect()
    connection.execute("DROP TRIGGER audit_is_not_changed")
    connection.execute("UPDATE audit SET subject = 'key_two'")
    connection.close()
    assert "broken at entry 1" in (await side.ask(AUDITOR, "GET", "/admin/audit", verify="yes")).text
    assert (await side.ask(AUDITOR, "GET", "/admin/audit", before="x")).status == 200
