"""Every page of an organisation: for each role, with own and foreign objects, and with hostile text in every field."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from support.books import fill
from support.page_reader import read_page
from support.portal import Portal, serving_portal
from support.two_organisations import (
    FOREIGN_KEY,
    FOREIGN_REQUEST,
    OWN_KEY,
    OWN_REQUEST,
    ROLES,
    Organisations,
    populate,
)

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.settlement import FailedAttempt
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg
from softix_proxy.web.portal.product.routes import ROUTES as PRODUCT
from softix_proxy.web.portal.route_table import ROUTES

OWNER, ADMIN, BILLING, MEMBER, VIEWER = ROLES
EVERYBODY = frozenset(ROLES)
KEY_MAKERS = frozenset((OWNER, ADMIN, MEMBER))
"""Owner and admin change every key, and the member is the one to whom the key belongs."""
FORM = {"cap_period": "month", "form_id": "f", "grace": "1h", "amount": "1", "period": "month"}


class Case(NamedTuple):
    method: str
    path: str
    may: frozenset[OrganisationRole] = EVERYBODY
    status: int = 200
    """What those get who may. All others get 404."""
    foreign: str = ""
    """The same page with an object of another organisation, which nobody here sees."""


CASES = (
    Case("GET", "/"),
    Case("GET", "/keys"),
    Case("GET", "/keys?all=1"),
    Case("GET", "/keys/new", KEY_MAKERS),
    Case("GET", f"/keys/{OWN_KEY}", foreign=f"/keys/{FOREIGN_KEY}"),
    Case("GET", f"/keys/{OWN_KEY}/rotate", KEY_MAKERS, foreign=f"/keys/{FOREIGN_KEY}/rotate"),
    Case("GET", f"/keys/{OWN_KEY}/revoke", KEY_MAKERS, foreign=f"/keys/{FOREIGN_KEY}/revoke"),
    Case("GET", "/usage"),
    Case("GET", f"/usage?key={OWN_KEY}&model=lab/llama", foreign=f"/usage?key={FOREIGN_KEY}"),
    Case("GET", "/usage?project=prj_web", foreign="/usage?project=prj_theirs"),
    Case("GET", f"/usage.csv?key={OWN_KEY}", foreign=f"/usage.csv?key={FOREIGN_KEY}"),
    Case("GET", f"/requests/{OWN_REQUEST}", foreign=f"/requests/{FOREIGN_REQUEST}"),
    Case("GET", "/limits"),
    Case("GET", "/models"),
    Case("GET", f"/models?key={OWN_KEY}", foreign=f"/models?key={FOREIGN_KEY}"),
    Case("GET", "/connect"),
    Case("POST", f"/keys/{OWN_KEY}", KEY_MAKERS, 303, foreign=f"/keys/{FOREIGN_KEY}"),
    Case("POST", f"/keys/{OWN_KEY}/limits", KEY_MAKERS, 303, foreign=f"/keys/{FOREIGN_KEY}/limits"),
    Case("POST", "/keys/new", KEY_MAKERS),
    Case("POST", f"/keys/{OWN_KEY}/rotate", KEY_MAKERS, foreign=f"/keys/{FOREIGN_KEY}/rotate"),
    Case("POST", f"/keys/{OWN_KEY}/revoke", KEY_MAKERS, 303, foreign=f"/keys/{FOREIGN_KEY}/revoke"),
)


class House(NamedTuple):
    portal: Portal
    organisations: Organisations


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving_portal(tmp_path, ROUTES) as portal:
        database = portal.storage._database
        fill(database)
        made = Organisations(database, portal.storage, portal.context.settings, portal.clock)
        await populate(made)
        async with portal.storage.writing() as unit:
            for user_id, name in ((1, "web"), (2, "theirs")):
                await unit.projects.add(Project(0, f"prj_{name}", user_id, name, 1))
            await unit.key_owners.set(1, KeyOwner(made.members[MEMBER].id, 1))
        yield House(portal, made)


def patterns(cases: tuple[Case, ...]) -> set[tuple[str, str]]:
    """The routes that the cases open."""
    found = set()
    for case in cases:
        path = case.path.partition("?")[0].replace(OWN_KEY, "{key_id}").replace(OWN_REQUEST, "{request_id}")
        found.add((case.method, path))
    return found


def test_each_page_of_an_organisation_has_its_case() -> None:
    assert patterns(CASES) == {(route.method, route.pattern) for route in PRODUCT}


@pytest.mark.parametrize("role", ROLES)
async def test_each_page_answers_each_role_as_the_table_says(house: House, role: OrganisationRole) -> None:
    portal = house.portal
    token = await portal.sign_in(house.organisations.members[role])
    wrong = []
    for case in CASES:
        form = FORM if case.method == "POST" else None
        if case.foreign:
            got = await portal.ask(case.method, case.foreign, token=token, form=form)
            wrong += [f"{case.method} {case.foreign}: {got.status}"] * (got.status != 404)
        got = await portal.ask(case.method, case.path, token=token, form=form)
        expected = case.status if role in case.may else 404
        wrong += [f"{case.method} {case.path}: {got.status} and not {expected}"] * (got.status != expected)
    assert wrong == []


async def test_foreign_objects_are_as_they_were_after_every_role_tried(house: House) -> None:
    portal, keys = house.portal, house.portal.storage.reading().keys
    before = await keys.get(2)
    for role in ROLES:
        token = await portal.sign_in(house.organisations.members[role], token=role.value)
        for case in CASES:
            if case.foreign and case.method == "POST":
                await portal.post(case.foreign, FORM, token=token)
    assert await keys.get(2) == before and len(await keys.list(2)) == 1


async def test_nobody_who_is_not_signed_in_sees_a_page(house: House) -> None:
    for case in CASES:
        got = await house.portal.ask(case.method, case.path, form=FORM if case.method == "POST" else None)
        assert got.status == 303 and got.location.startswith("/sign-in"), case


async def test_answers_with_a_key_are_in_no_cache(house: House) -> None:
    portal = house.portal
    token = await portal.sign_in(house.organisations.members[OWNER])
    made = await portal.post("/keys/new", FORM, token=token)
    assert "sx_live_" in made.text and made.headers["Cache-Control"] == "no-store"
    again = await portal.post("/keys/new", FORM, token=token)
    assert again.status == 409 and len(await portal.storage.reading().keys.list(1)) == 2


# Hostile text

FAILED = FailedAttempt(
    provider_id=1,
    model_id=1,
    price_id=None,
    markup=Fraction(1),
    source=UsageSource.NONE,
    status_code=502,
    error="provider_broke_off",
    latency_ms=3,
)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{7*7}}${7}"
FAILED_REQUEST = format_request_id(3 << 22)
FIELDS: Mapping[str, tuple[str, ...]] = {
    "users": ("name",),
    "projects": ("name",),
    "login_accounts": ("display_name",),
    "keys": ("label", "prefix"),
    "providers": ("name",),
    "models": ("name",),
    "usage": ("model_served", "error", "note", "service_tier", "endpoint"),
    "attempts": ("error",),
}
"""Table → the columns whose text a page shows."""
LISTS_OF_A_KEY = ("models", "allow_ip", "regions")
"""The columns of a key that have a list of texts."""


def spoil(made: Organisations) -> Iterator[str]:
    """Writes hostile text into every field, and yields the marks by which it is found again."""
    for table in ("usage", "attempts"):
        made.run(f"DROP TRIGGER {table}_no_update")
    for table, columns in FIELDS.items():
        for column in columns:
            mark = f"{table}.{column}"
            unique = " || rowid" if table != "attempts" else ""
            made.run(f"UPDATE {table} SET {column} = ?{unique}", f"{mark} {HOSTILE}")
            yield mark
    for column in LISTS_OF_A_KEY:
        made.run(f"UPDATE keys SET {column} = json_array(?)", f"keys.{column} {HOSTILE}")
        yield f"keys.{column}"
    made.run("UPDATE routes SET name = ?", f"routes.name {HOSTILE}")
    yield "routes.name"


async def test_hostile_text_in_every_stored_field_is_shown_as_text_on_every_page(house: House) -> None:
    portal, made = house.portal, house.organisations
    async with portal.storage.writing() as unit:
        await unit.routes.add(ModelRoute(0, "rte_one", "fast", (RouteLeg(1),)))
    made.use(number=3, error="provider_timeout", status_code=504, note="late", price_id=1, failed=(FAILED,))
    marks = list(spoil(made))
    token = await portal.sign_in(await portal.storage.reading().accounts.get(made.members[OWNER].id))
    seen = ""
    own = [case.path for case in CASES if case.method == "GET" and not case.path.startswith("/usage.csv")]
    for path in [*own, f"/requests/{FAILED_REQUEST}", f"/usage?from={quote(HOSTILE)}"]:
        got = await portal.get(path, token=token)
        assert got.status in (200, 400, 404), path
        reader = read_page(got.text)
        assert reader.strange == [], path
        seen += "\n".join(reader.texts)
    assert [mark for mark in marks if mark not in seen] == []
    made.run("UPDATE users SET regions = json_array(?)", f"users.regions {HOSTILE}")
    limits = read_page((await portal.get("/limits", token=token)).text)
    assert limits.strange == [] and any("users.regions" in text for text in limits.texts)
