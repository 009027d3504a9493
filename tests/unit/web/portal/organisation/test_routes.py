"""Each role, and a stranger, on each page and form of an organisation: the status that each of them gets.

What belongs to another organisation, and what a role may not do, does not exist: 404, and never 403.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from softix_proxy.web.portal.organisation.routes import ROUTES

EVERYBODY = frozenset(("owner", "admin", "billing", "member", "viewer"))
MANAGERS = frozenset(("owner", "admin"))
STRANGER = "stranger"


class Row(NamedTuple):
    method: str
    path: str
    allowed: frozenset[str]
    form: dict[str, str] = {}  # noqa: RUF012 - never changed
    stranger: int = 404
    """What a stranger gets, who has an organisation of the own."""


TABLE = (
    Row("GET", "/members", EVERYBODY, stranger=200),
    Row("GET", "/members/invite", MANAGERS, stranger=200),
    Row("POST", "/members/invite", MANAGERS, {"email": "new@example.org", "role": "member"}, stranger=303),
    Row("GET", "/members/leave", EVERYBODY, stranger=200),
    Row("GET", "/members/acc_member", MANAGERS),
    Row("POST", "/members/acc_viewer/role", MANAGERS, {"role": "billing"}),
    Row("POST", "/members/acc_viewer/remove", MANAGERS, {"keys": "revoke"}),
    Row("POST", "/members/acc_member/budget", MANAGERS, {"amount": "5.00", "period": "day"}),
    Row("POST", "/invitations/{invitation}/cancel", MANAGERS),
    Row("GET", "/projects", EVERYBODY, stranger=200),
    Row("POST", "/projects", MANAGERS, {"name": "new"}, stranger=303),
    Row("GET", "/projects/prj_bot", EVERYBODY),
    Row("POST", "/projects/prj_bot/name", MANAGERS, {"name": "other"}),
    Row("POST", "/projects/prj_desk/archive", MANAGERS),
    Row("POST", "/projects/prj_desk/key", MANAGERS, {"key": "{free_key}"}),
    Row("POST", "/projects/prj_bot/budget", MANAGERS, {"amount": "5.00", "period": "day"}),
    Row("POST", "/budgets/{budget}/remove", MANAGERS),
)
ELSEWHERE = {("GET", "/invitations/{token}"), ("POST", "/invitations/{token}"), ("POST", "/members/leave")}
"""What other tests ask as everybody."""


@pytest.mark.parametrize("manager", sorted(MANAGERS))
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.path}")
async def test_page_of_an_organisation_is_there_for_its_roles_only(acme: Any, row: Row, manager: str) -> None:
    """Those who may not are asked first, so that the thing is still as it was."""
    done = 200 if row.method == "GET" else 303
    for who in sorted(EVERYBODY - row.allowed):
        assert (await acme.ask(row.method, row.path, who, row.form)).status == 404, who
    assert (await acme.ask(row.method, row.path, STRANGER, row.form)).status == row.stranger
    anonymous = await acme.ask(row.method, row.path, None, row.form)
    assert (anonymous.status, anonymous.location.partition("?")[0]) == (303, "/sign-in")
    for who in [*sorted(row.allowed - MANAGERS), manager]:
        answer = await acme.ask(row.method, row.path, who, row.form)
        assert answer.status == done, (who, answer.text)
        assert answer.location.partition("?")[0] != "/sign-in"


def test_table_of_roles_has_every_route() -> None:
    def shape(path: str) -> tuple[str, ...]:
        return tuple("*" if part.startswith(("{", "acc_", "prj_")) else part for part in path.split("/"))

    asked = {(row.method, shape(row.path)) for row in TABLE}
    asked |= {(method, shape(path)) for method, path in ELSEWHERE}
    assert asked == {(route.method, shape(route.pattern)) for route in ROUTES}


async def test_stranger_sees_nothing_of_another_organisation(acme: Any) -> None:
    for path in ("/members", "/projects"):
        text = (await acme.ask("GET", path, STRANGER)).text
        assert "acme" not in text and "prj_bot" not in text and "member@example.org" not in text


@pytest.mark.parametrize("foreign", ["acc_member", "acc_nobody"])
async def test_strangers_account_is_answered_like_one_that_does_not_exist(acme: Any, foreign: str) -> None:
    """Case 33: whoever names a stranger's id learns nothing (litellm-rs#110)."""
    answer = await acme.ask("GET", f"/members/{foreign}", STRANGER)
    assert answer.status == 404 and foreign not in answer.text


async def test_form_field_with_another_organisation_is_ignored(acme: Any) -> None:
    """The organisation is that of the session's person. What a form says of it is not read."""
    form = {"name": "theirs", "organisation": "acme", "user_id": "1"}
    assert (await acme.ask("POST", "/projects", STRANGER, form)).status == 303
    assert "theirs" not in (await acme.ask("GET", "/projects", "owner")).text
    assert "theirs" in (await acme.ask("GET", "/projects", STRANGER)).text
