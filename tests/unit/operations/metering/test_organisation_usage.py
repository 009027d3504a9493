from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from support.books import NOW_US, USD
from support.two_organisations import (
    BOB,
    CHARGE_PICO,
    FOREIGN_KEY,
    FOREIGN_REQUEST,
    OWN_KEY,
    OWN_REQUEST,
    ROLES,
    Organisations,
    organisations,
)

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.calendar import Calendar, day_of
from softix_proxy.domain.core.clock import from_us
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.exports.metering import csv_usage
from softix_proxy.operations.metering import organisation_usage, usage
from softix_proxy.operations.metering.organisation_usage import MOST_DAYS, AskedUsage, period_of

TODAY = from_us(NOW_US).date()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Organisations]:
    async with organisations(tmp_path) as made:
        yield made


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_sees_the_usage_of_its_organisation_alone(
    house: Organisations, role: OrganisationRole
) -> None:
    view = await organisation_usage.view(await house.scope(role), AskedUsage())
    assert (view.whole.requests, view.whole.charge_pico) == (1, CHARGE_PICO)
    assert [row.user_id for row in view.part.rows] == [1]
    assert [total.id for total in view.keys] == [OWN_KEY]


async def test_filter_narrows_sums_and_rows_and_leaves_the_choices(house: Organisations) -> None:
    house.run(
        "INSERT INTO models (id, name, provider_id, upstream_name, created_at_us)"
        " VALUES (2, 'mistral', 1, 'mistral', 1)"
    )
    house.use(number=3, model_id=2, charge_pico=USD)
    scope = await house.scope()
    view = await organisation_usage.view(scope, AskedUsage(model="lab/mistral"))
    assert (view.whole.charge_pico, [row.model for row in view.part.rows]) == (USD, ["mistral"])
    assert [total.id for total in view.used_models] == ["lab/mistral", "lab/llama"]
    assert list(view.trends) == ["lab/mistral"]
    nothing = await organisation_usage.view(scope, AskedUsage(model="unknown"))
    assert (nothing.whole.requests, nothing.part.rows) == (0, [])


async def test_key_of_others_in_the_filter_does_not_exist(house: Organisations) -> None:
    scope = await house.scope()
    for asked in (AskedUsage(key=FOREIGN_KEY), AskedUsage(key="ci")):
        with pytest.raises(NotFoundError):
            await organisation_usage.view(scope, asked)
        with pytest.raises(NotFoundError):
            await organisation_usage.csv_lines(scope, asked)


async def test_parts_of_the_rows_follow_each_other(house: Organisations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organisation_usage, "ROWS_AT_ONCE", 2)
    for number in range(3, 8):
        house.use(number=number, days_ago=number)
    scope, before, seen = await house.scope(), None, []
    while True:
        view = await organisation_usage.view(scope, AskedUsage(), before)
        seen += [row.id for row in view.part.rows]
        before = view.part.before
        if before is None:
            break
    assert len(seen) == 6 and seen == sorted(seen, reverse=True)
    assert (await organisation_usage.view(scope, AskedUsage(), 0)).part.rows == []


async def test_csv_has_the_bytes_of_the_export_of_the_user(house: Organisations) -> None:
    for number in range(3, 8):
        house.use(number=number, user=1 + number % 2, days_ago=number, error="=1+1" if number == 5 else None)
    period, lines = await organisation_usage.csv_lines(await house.scope(), AskedUsage())
    exported = await usage.export(house.storage, csv_usage.LAYOUT, period.span, "usr_ada")
    assert b"".join([chunk async for chunk in lines]) == b"".join([chunk.text async for chunk in exported.chunks])


async def test_request_is_explained_to_its_organisation_alone(house: Organisations) -> None:
    scope = await house.scope(OrganisationRole.VIEWER)
    assert (await organisation_usage.explain(scope, OWN_REQUEST)).row.user_id == 1
    for reference in (FOREIGN_REQUEST, "req_0000000000000", "nonsense", ""):
        with pytest.raises(NotFoundError):
            await organisation_usage.explain(scope, reference)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Auckland"])
def test_period_without_dates_is_the_last_thirty_days_of_the_zone(zone: str) -> None:
    at = Calendar(zone)
    period = period_of(at, NOW_US, "", "")
    assert (period.end_day - period.first_day, period.last) == (30, at.date(NOW_US))
    assert period.span == Span(at.start_us(period.first_day), at.start_us(period.end_day))


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-10-01", "2026-10-31", 31),
        ("2026-10-25", "2026-10-25", 1),
        ("", "2026-10-31", 30),
        ("2027-01-01", "", (TODAY - date(2027, 1, 1)).days + 1),
        ("2030-01-01", "", 1),
    ],
)
def test_period_of_dates_has_both_of_them(first: str, last: str, days: int) -> None:
    period = period_of(Calendar("Europe/Berlin"), NOW_US, first, last)
    assert period.end_day - period.first_day == days
    if first:
        assert period.first_day == day_of(date.fromisoformat(first))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-10-02", "2026-10-01"),
        ("nonsense", ""),
        ("2026-02-30", ""),
        ("0001-01-01", "0001-01-02"),
        ("9999-12-31", "9999-12-31"),
        ("2020-01-01", "2026-01-01"),
        ("<script>", "x" * 10_000),
    ],
)
def test_period_that_is_none_is_refused(first: str, last: str) -> None:
    with pytest.raises(BadInputError):
        period_of(Calendar("UTC"), NOW_US, first, last)
    assert MOST_DAYS == 366


async def test_models_used_are_those_of_the_organisation(house: Organisations) -> None:
    house.run("INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES (2, 'm', 1, 'm', 1)")
    house.use(number=3, user=BOB, model_id=2)
    assert [total.id for total in await organisation_usage.models_used(await house.scope())] == ["lab/llama"]


async def test_project_stands_for_the_keys_that_belong_to_it_now(house: Organisations) -> None:
    house.run(
        "INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us)"
        " VALUES (3, 'key_web', 1, 'web', 'sx_live_cccc', x'03', 1)"
    )
    house.use(number=3, key_id=3)
    async with house.storage.writing() as unit:
        for user_id, name in ((1, "web"), (2, "theirs")):
            await unit.projects.add(Project(0, f"prj_{name}", user_id, name, 1))
        await unit.key_owners.set(3, KeyOwner(project_id=1))
    scope = await house.scope(OrganisationRole.VIEWER)
    view = await organisation_usage.view(scope, AskedUsage(project="prj_web"))
    assert [row.key_public_id for row in view.part.rows] == ["key_web"]
    assert ([total.id for total in view.keys], view.whole.requests) == (["key_web"], 1)
    assert [project.name for project in view.projects] == ["web"]
    both = await organisation_usage.view(scope, AskedUsage(project="prj_web", key=OWN_KEY))
    assert (both.part.rows, both.whole.requests) == ([], 0)
    for project in ("prj_theirs", "web", "prj_none"):
        with pytest.raises(NotFoundError):
            await organisation_usage.view(scope, AskedUsage(project=project))
