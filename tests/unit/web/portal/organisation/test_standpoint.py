from typing import Any


async def test_person_in_no_organisation_has_no_page_of_one(acme: Any) -> None:
    await acme.portal.sign_in(await acme.portal.account("lonely@example.org"), "lonely")
    for path in ("/members", "/members/leave", "/projects", "/projects/prj_bot"):
        assert (await acme.ask("GET", path, "lonely")).status == 404
    assert (await acme.ask("POST", "/members/leave", "lonely")).status == 404
