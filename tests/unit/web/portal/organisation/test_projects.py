"""The pages of projects and budgets: what they show, and what their forms do."""

from __future__ import annotations

from typing import Any

from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.organisations import projects


async def test_project_page_shows_keys_and_budgets_and_forms_to_those_who_manage(acme: Any) -> None:
    for who, shows in (("admin", True), ("viewer", False)):
        text = (await acme.ask("GET", "/projects/prj_bot", who)).text
        assert acme.key in text and "1.00" in text
        assert ("/projects/prj_bot/archive" in text) is shows and (acme.free_key in text) is shows
        assert (f"/budgets/{acme.budget}/remove" in text) is shows


async def test_budget_table_has_only_columns_that_say_something(acme: Any) -> None:
    for path, who, names, change in (
        ("/projects/prj_bot", "admin", False, True),
        ("/projects/prj_bot", "viewer", False, False),
        ("/projects", "admin", True, True),
        ("/projects", "viewer", True, False),
    ):
        text = (await acme.ask("GET", path, who)).text
        assert ('<th scope="col">For</th>' in text) is names, path
        assert ('<th scope="col">Change</th>' in text) is change, path
        assert text.count('<th scope="row"><a href="/projects/prj_bot">bot</a></th>') == (2 if names else 0)


async def test_new_project_is_shown_after_its_form(acme: Any) -> None:
    made = await acme.ask("POST", "/projects", "owner", {"name": "Support <bot>"})
    assert made.status == 303 and made.location.startswith("/projects/prj_")
    text = (await acme.ask("GET", made.location, "owner")).text
    assert "Support &lt;bot&gt;" in text and "<bot>" not in text


async def test_name_that_is_taken_is_refused_beside_the_form(acme: Any) -> None:
    for path in ("/projects", "/projects/prj_desk/name"):
        refused = await acme.ask("POST", path, "owner", {"name": "BOT"})
        assert refused.status == 409 and 'role="alert"' in refused.text
    assert (await acme.ask("POST", "/projects", "owner", {"name": ""})).status == 400


async def test_key_goes_to_the_project_that_it_is_given_to(acme: Any) -> None:
    assert (await acme.ask("POST", "/projects/prj_desk/key", "owner", {"key": "{free_key}"})).status == 303
    shown = await projects.show(acme.portal.storage, "acme", "desk", OPERATOR)
    assert [key.public_id for key in shown.keys] == [acme.free_key]
    assert (await acme.ask("POST", "/projects/prj_desk/key", "owner", {"key": "key_unknown"})).status == 404


async def test_key_is_taken_out_of_its_project_and_belongs_to_none(acme: Any) -> None:
    text = (await acme.ask("GET", "/projects/prj_bot", "owner")).text
    assert "Take it out" in text and "Take it out" not in (await acme.ask("GET", "/projects/prj_bot", "viewer")).text
    form = {"key": "{key}", "out": "yes"}
    assert (await acme.ask("POST", "/projects/prj_bot/key", "viewer", form)).status == 404
    assert (await acme.ask("POST", "/projects/prj_desk/key", "owner", form)).status == 404, "it is not in that one"
    shown = await projects.show(acme.portal.storage, "acme", "bot", OPERATOR)
    assert [key.public_id for key in shown.keys] == [acme.key]
    taken = await acme.ask("POST", "/projects/prj_bot/key", "owner", form)
    assert (taken.status, taken.location) == (303, "/projects/prj_bot")
    shown = await projects.show(acme.portal.storage, "acme", "bot", OPERATOR)
    assert list(shown.keys) == []
    assert (await acme.ask("POST", "/projects/prj_bot/archive", "owner")).location == "/projects"


async def test_project_with_keys_is_not_archived(acme: Any) -> None:
    refused = await acme.ask("POST", "/projects/prj_bot/archive", "owner")
    assert refused.status == 409 and "keys" in refused.text
    assert (await acme.ask("POST", "/projects/prj_desk/archive", "owner")).location == "/projects"
    assert "prj_desk" not in (await acme.ask("GET", "/projects", "owner")).text
    assert "prj_desk" in (await acme.ask("GET", "/projects?all=1", "owner")).text
    text = (await acme.ask("GET", "/projects/prj_desk", "owner")).text
    assert "/projects/prj_desk/archive" not in text, "it is over"


async def test_budget_is_set_changed_and_removed_from_the_project_page(acme: Any) -> None:
    form = {"amount": "2.50", "period": "month"}
    assert (await acme.ask("POST", "/projects/prj_bot/budget", "admin", form)).location == "/projects/prj_bot"
    [standing] = await budgets.list_all(acme.portal.storage, "acme", OPERATOR)
    assert standing.budget.amount_pico == 2_500_000_000_000
    removed = await acme.ask("POST", "/budgets/{budget}/remove", "admin")
    assert removed.location == "/projects/prj_bot"
    assert await budgets.list_all(acme.portal.storage, "acme", OPERATOR) == []
    assert (await acme.ask("POST", "/budgets/{budget}/remove", "admin")).status == 404


async def test_budget_form_keeps_what_was_typed(acme: Any) -> None:
    refused = await acme.ask("POST", "/projects/prj_bot/budget", "admin", {"amount": "a lot", "period": "day"})
    assert refused.status == 400 and 'value="a lot"' in refused.text and 'value="day" selected' in refused.text
