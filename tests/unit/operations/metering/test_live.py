from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, USD, StoppedClock, make_database, make_intent, make_settlement, post, revision

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.metering.budgets import Budget
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.routing.target_health import Breaker, TargetStats
from softix_proxy.operations.metering import live
from softix_proxy.operations.metering.live import LiveView, LiveWish
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

FAILED: dict[str, Any] = {"error": "provider_overloaded", "status_code": 503, "charge_pico": 0, "meters": {}}
LOW_PICO = 5 * USD


class House:
    """A database whose clock stands still, and what happens in it."""

    def __init__(self, database: Database, clock: StoppedClock) -> None:
        self._database = database
        self.clock = clock
        self.storage = SqliteStorage(database)
        self._last = 0

    def settle(self, *, ago_s: int = 0, user: int = 1, **changes: Any) -> int:
        """Returns the number of the request."""
        number = self._number()
        self._post([make_settlement(make_intent(number, 0, user=user), **changes)], self.clock.us - ago_s * SECOND_US)
        return number

    def admit(self, **changes: Any) -> int:
        number, connection = self._number(), self._database.connect()
        connection.execute("BEGIN IMMEDIATE")
        group = CommitGroup(connection, 0, self.clock.us)
        intent = make_intent(number, revision(connection), **changes)
        group.load([intent])
        group.admit([intent])
        group.save()
        connection.execute("COMMIT")
        connection.close()
        return number

    def run(self, statement: str) -> None:
        connection = self._database.connect()
        connection.execute(statement)
        connection.close()

    def _number(self) -> int:
        self._last += 1
        return self._last

    def _post(self, settlements: list[Settlement], at_us: int) -> None:
        connection = self._database.connect()
        post(connection, settlements, at_us)
        connection.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = StoppedClock()
    database = await make_database(tmp_path, clock).open()
    yield House(database, clock)
    await database.close()


async def test_sums_are_those_of_the_last_minute_and_of_the_last_five(house: House) -> None:
    for ago_s in (300, 299, 60, 59, 0):
        house.settle(ago_s=ago_s)
    house.settle(ago_s=1, **FAILED)
    shown = await live.picture(house.storage, LOW_PICO)
    minute, five = shown.minute, shown.five_minutes
    assert (minute.requests, minute.input_tokens, minute.output_tokens, minute.charge_pico) == (3, 6, 8, USD // 2)
    assert (five.requests, five.charge_pico, five.errors) == (5, USD, {"provider_overloaded": 1})
    assert [row.request_id for row in shown.failed] == [6]


async def test_each_further_picture_reads_on_and_forgets_what_is_too_old(house: House) -> None:
    view = LiveView(house.storage, LOW_PICO)
    house.settle(latency_ms=900)
    house.settle(latency_ms=100, **FAILED)
    assert (await view.look(LiveWish())).minute.requests == 2
    house.clock.us += 100 * SECOND_US
    house.settle(latency_ms=500)
    shown = await view.look(LiveWish())
    assert (shown.minute.requests, shown.five_minutes.requests) == (1, 3)
    assert [row.latency_ms for row in shown.slowest] == [900, 500, 100]
    house.clock.us += 250 * SECOND_US
    shown = await view.look(LiveWish())
    assert (shown.minute.requests, shown.five_minutes.requests) == (0, 1)
    assert ([row.latency_ms for row in shown.slowest], shown.failed) == ([500], [])


async def test_second_look_equals_a_first_one(house: House) -> None:
    view, wish = LiveView(house.storage, LOW_PICO), LiveWish(most=3)
    for number in range(12):
        house.settle(latency_ms=number * 7 % 12, **(FAILED if number % 3 == 0 else {}))
        house.clock.us += 3 * SECOND_US
        assert await view.look(wish) == await live.picture(house.storage, LOW_PICO, wish)


async def test_filter_selects_sums_requests_and_limits_of_its_user_key_and_model(house: House) -> None:
    house.settle()
    house.settle(user=2, **FAILED)
    house.admit(user=2)
    house.run("UPDATE keys SET concurrency = 1")
    view = LiveView(house.storage, 10 * USD)
    all_of_them = await view.look(LiveWish())
    assert (all_of_them.minute.requests, all_of_them.holds.requests, len(all_of_them.limits)) == (2, 1, 2)
    for wish in (LiveWish(user="ada"), LiveWish(key="key_ada"), LiveWish(user="ada", model="lab/llama")):
        shown = await view.look(wish)
        assert (shown.minute.requests, shown.holds.requests, shown.open_requests) == (1, 0, [])
        assert [(near.kind, near.user_name) for near in shown.limits] == [("balance", "ada")]
    errors = await view.look(LiveWish(errors_only=True))
    assert (errors.minute.requests, errors.holds.requests) == (1, 1)


@pytest.mark.parametrize("wish", [LiveWish(user="eve"), LiveWish(key="eve"), LiveWish(model="eve")])
async def test_filter_for_something_unknown_is_refused_and_the_view_works_on(house: House, wish: LiveWish) -> None:
    view = LiveView(house.storage, LOW_PICO)
    house.settle()
    await view.look(LiveWish())
    with pytest.raises(NotFoundError):
        await view.look(wish)
    assert (await view.look(LiveWish())).minute.requests == 1


async def test_view_of_a_clock_that_is_set_back_begins_anew(house: House) -> None:
    view = LiveView(house.storage, LOW_PICO)
    house.settle()
    assert (await view.look(LiveWish())).minute.requests == 1
    house.clock.us -= 2 * 3600 * SECOND_US
    house.settle()
    assert (await view.look(LiveWish())).minute.requests == 1


async def test_open_requests_have_their_age_and_their_holds_a_sum(house: House) -> None:
    house.admit(hold_pico=USD, started_at_us=NOW_US - 90 * SECOND_US, stream=True)
    house.admit(hold_pico=2 * USD, user=2)
    shown = live.as_fields(await live.picture(house.storage, LOW_PICO, LiveWish(order="held")))
    assert shown["holds"] == {
        "requests": 2,
        "held": "3.00",
        "oldest_s": 90,
        "batch_requests": 0,
        "batch_held": "0.00",
    }
    assert [(each["user_name"], each["age_s"], each["held"]) for each in shown["open_requests"]] == [
        ("bob", 0, "2.00"),
        ("ada", 90, "1.00"),
    ]
    assert [each.request_id for each in await live.open_requests(house.storage, 1)] == [2]


async def test_limits_near_their_end_come_in_the_order_of_what_is_left(house: House) -> None:
    house.run("UPDATE keys SET rpm = 5 WHERE id = 1")
    house.run("UPDATE keys SET concurrency = 1 WHERE id = 2")
    for _ in range(4):
        house.admit(limits=KeyLimits(rpm=5), hold_pico=USD)
    house.admit(limits=KeyLimits(concurrency=1), user=2)
    house.settle()
    async with house.storage.writing() as unit:
        project = await unit.projects.add(Project(0, "prj_one", 1, "search", NOW_US))
        budget = Budget(0, "bud_one", 1, None, project.id, "day", 10 * USD, NOW_US, spent_at_us=NOW_US)
        added = await unit.budgets.add(budget)
        await unit.budgets.set_spent(added.id, 9 * USD)
    shown = live.as_fields(await live.picture(house.storage, 6 * USD))
    assert [(each["limit"], each["percent"], each["left"], each["of"], each["name"]) for each in shown["limits"]] == [
        ("concurrency", 100, 0, 1, ""),
        ("budget", 90, "1.00", "10.00", "search"),
        ("requests_per_minute", 80, 1, 5, "ci"),
        ("balance", 5, "5.75", "6.00", ""),
    ]
    assert shown["limits_near_end"] == 4


async def test_limits_are_looked_at_seldom_if_the_look_takes_long(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    async def slow(*_: object) -> list[object]:
        looks.append(house.clock.us)
        house.clock.us += SECOND_US
        return []

    monkeypatch.setattr(live, "_near_limits", slow)
    view = LiveView(house.storage, LOW_PICO)
    for _ in range(25):
        await view.look(LiveWish())
        house.clock.us += SECOND_US
    assert [at - looks[0] for at in looks] == [0, 21 * SECOND_US]
    await view.look(LiveWish(user="ada"))
    assert len(looks) == 3


async def test_targets_are_those_that_daemons_report(house: House) -> None:
    async with house.storage.writing() as unit:
        open_breaker = Breaker(failures=5, open_until_us=NOW_US + SECOND_US)
        await unit.routes.report(0, [TargetStats(1, open_breaker, requests=9, last_error="provider_overloaded")])
    [target] = live.as_fields(await live.picture(house.storage, LOW_PICO))["targets"]
    assert (target["target"], target["breaker"], target["requests"]) == ("lab/llama", "open", 9)


async def test_fields_of_an_idle_instance_are_whole_and_can_be_written_as_json(house: House) -> None:
    shown = live.as_fields(await live.picture(house.storage, LOW_PICO))
    assert json.loads(json.dumps(shown)) == {
        "at": "2027-01-15T08:00:00.000000Z",
        "filter": {"user": None, "key": None, "model": None, "errors_only": False},
        "last_minute": _nothing(60),
        "last_five_minutes": _nothing(300),
        "holds": {"requests": 0, "held": "0.00", "oldest_s": None, "batch_requests": 0, "batch_held": "0.00"},
        "open_requests": [],
        "slowest": [],
        "failed": [],
        "limits_near_end": 0,
        "limits": [],
        "targets": [],
        "currency": "USD",
    }


def _nothing(seconds: int) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "requests": 0,
        "errors": 0,
        "errors_by_kind": {},
        "input_tokens": 0,
        "output_tokens": 0,
        "provider_cost": "0.00",
        "charge": "0.00",
    }
