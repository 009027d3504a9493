from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, POSTED_PICO, USD
from support.two_organisations import CHARGE_PICO, Organisations, organisations

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.operations.metering.overview import SEVERE, Overview, WarningKind, overview, wallet


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Organisations]:
    async with organisations(tmp_path) as made:
        yield made


async def look(house: Organisations, **account: Any) -> Overview:
    scope = await house.scope()
    return await overview(scope, replace(house.members[OrganisationRole.OWNER], **account))


def kinds(found: Overview) -> list[WarningKind]:
    return [warning.kind for warning in found.warnings]


async def test_overview_has_balance_days_and_last_requests_of_the_organisation(house: Organisations) -> None:
    house.use(number=3, days_ago=4)
    found = await look(house)
    assert found.wallet.posted_pico == POSTED_PICO - 2 * CHARGE_PICO
    assert await wallet(await house.scope()) == found.wallet
    assert (found.today_pico, [day.requests for day in found.days]) == (CHARGE_PICO, [1, 1])
    assert [row.user_id for row in found.latest] == [1, 1]
    assert (found.active_keys, found.labels) == (1, {"key_ada": "ci"})
    assert kinds(found) == []


async def test_balance_that_is_used_up_is_told_first_and_as_severe(house: Organisations) -> None:
    house.run("UPDATE wallets SET posted_pico = 0 WHERE user_id = 1")
    house.run("UPDATE keys SET status = 'revoked' WHERE id = 1")
    found = await look(house)
    assert kinds(found) == [WarningKind.NO_BALANCE, WarningKind.NO_KEY]
    assert found.warnings[0].is_severe and not found.warnings[1].is_severe


async def test_balance_that_lasts_for_two_days_of_the_last_week_is_low(house: Organisations) -> None:
    for number in range(3, 10):
        house.use(number=number, days_ago=number - 2, charge_pico=USD)
    house.run("UPDATE wallets SET posted_pico = ? WHERE user_id = 1", 2 * USD + USD // 2)
    [warning] = (await look(house)).warnings
    assert (warning.kind, warning.values["days"]) == (WarningKind.LOW_BALANCE, 2)
    house.run("UPDATE wallets SET posted_pico = ? WHERE user_id = 1", 3 * USD)
    assert kinds(await look(house)) == []


async def test_balance_of_who_pays_afterwards_is_never_low(house: Organisations) -> None:
    house.run("UPDATE users SET postpaid = 1 WHERE id = 1")
    house.run("UPDATE wallets SET posted_pico = -5 WHERE user_id = 1")
    assert kinds(await look(house)) == []


@pytest.mark.parametrize(
    ("cap_pico", "expected"),
    [
        (CHARGE_PICO, [WarningKind.CAP_REACHED]),
        (CHARGE_PICO * 100 // 80, [WarningKind.CAP_NEAR]),
        (CHARGE_PICO * 100 // 79, []),
    ],
)
async def test_key_near_its_cap_is_told(house: Organisations, cap_pico: int, expected: list[WarningKind]) -> None:
    house.run("UPDATE keys SET cap_pico = ?, cap_period = 'total' WHERE id = 1", cap_pico)
    found = await look(house)
    assert kinds(found) == expected
    assert [warning.key.key.public_id for warning in found.warnings if warning.key] == ["key_ada"] * len(expected)


@pytest.mark.parametrize(
    ("ends_us", "expected"),
    [
        (NOW_US - 1, [WarningKind.KEY_EXPIRED, WarningKind.NO_KEY]),
        (NOW_US - 8 * DAY_US, [WarningKind.NO_KEY]),
        (NOW_US + DAY_US, [WarningKind.KEY_EXPIRES]),
        (NOW_US + 8 * DAY_US, []),
    ],
)
async def test_key_that_ended_or_ends_within_a_week_is_told(
    house: Organisations, ends_us: int, expected: list[WarningKind]
) -> None:
    house.run("UPDATE keys SET expires_at_us = ? WHERE id = 1", ends_us)
    assert kinds(await look(house)) == expected


async def test_disabled_organisation_and_unverified_address_are_told(house: Organisations) -> None:
    house.run("UPDATE users SET status = 'disabled' WHERE id = 1")
    assert kinds(await look(house, verified_at_us=None)) == [WarningKind.DISABLED, WarningKind.UNVERIFIED]
    assert WarningKind.DISABLED in SEVERE


async def test_many_warnings_of_one_kind_are_cut(house: Organisations) -> None:
    for number in range(10, 20):
        house.run(
            "INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us, expires_at_us)"
            " VALUES (?1, 'key_' || ?1, 1, '', 'sx_live_' || ?1, CAST(?1 AS BLOB), 1, ?2)",
            number,
            NOW_US + 5,
        )
    assert kinds(await look(house)) == [WarningKind.KEY_EXPIRES] * 3
