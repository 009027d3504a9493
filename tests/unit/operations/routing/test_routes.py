from __future__ import annotations

from dataclasses import replace

import pytest
from support.books import NOW_US

from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.routing.routes import RouteLeg, RouteStatus, Timeouts
from softix_proxy.domain.routing.selection import Drop
from softix_proxy.domain.routing.target_health import Breaker, TargetStats
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.routing import routes
from softix_proxy.storage.sqlite.unit import SqliteStorage

FREE = PriceSheet.parse({"free": True})
HOUSES = {"openai": (ProviderType.OPENAI_COMPATIBLE, "us"), "azure": (ProviderType.OPENAI_COMPATIBLE, "eu"),
          "claude": (ProviderType.DEMO, None)}  # fmt: skip
SYNTAX = "openai/gpt weight 3, azure/gpt concurrency 8, then claude/opus first-byte 20s idle 500ms"


@pytest.fixture
async def books(books: SqliteStorage) -> SqliteStorage:
    for name, (kind, region) in HOUSES.items():
        await providers.add(
            books,
            None,
            name=name,
            kind=kind,
            base_url=f"http://{name}",
            region=region,  # type: ignore[arg-type]
        )
        await models.add(books, name="opus" if name == "claude" else "gpt", provider=name, sheet=FREE)
    return books


async def test_route_targets_are_read_as_written(books: SqliteStorage) -> None:
    shown = await routes.set_route(books, "best", targets=f"= {SYNTAX}")
    assert shown.route.legs == (
        RouteLeg(1, 3),
        RouteLeg(2, 1, concurrency=8),
        RouteLeg(3, 1, 1, Timeouts(None, 20_000, 500)),
    )
    assert [target.name for target in shown.targets] == ["openai/gpt", "azure/gpt", "claude/opus"]
    assert (shown.route.retries, shown.route.sticky) == (1, True)


async def test_route_update_changes_only_the_given_fields(books: SqliteStorage) -> None:
    made = await routes.set_route(books, "best", targets=SYNTAX)
    changed = await routes.set_route(books, "best", retries=3, sticky=False, timeouts={"idle_ms": 5})
    assert changed.route.legs == made.route.legs and changed.route.id == made.route.id
    assert (changed.route.retries, changed.route.sticky, changed.route.timeouts) == (3, False, Timeouts(idle_ms=5))
    fewer = await routes.set_route(books, "best", targets="openai/gpt", timeouts={"idle_ms": None})
    assert len(fewer.route.legs) == 1 and fewer.route.timeouts == Timeouts() and fewer.route.retries == 3


@pytest.mark.parametrize(
    "text",
    ["", "openai/gpt weight", "openai/gpt weight 0", "openai/gpt weight many", "openai/gpt height 3", ",", "then",
     "openai/gpt, openai/gpt", "openai/gpt idle soon", "openai/gpt first-byte 0s", "openai/gpt azure/gpt"],
)  # fmt: skip
async def test_route_targets_that_are_bad_are_refused_and_change_nothing(books: SqliteStorage, text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        await routes.set_route(books, "best", targets=text)
    assert caught.value.remedy and await routes.list_all(books) == []


async def test_route_with_a_bad_name_or_target_is_refused(books: SqliteStorage) -> None:
    for name in ("", "with space", "-x", "x" * 200):
        with pytest.raises(BadInputError):
            await routes.set_route(books, name, targets="openai/gpt")
    with pytest.raises(ConflictError):
        await routes.set_route(books, "openai/gpt", targets="azure/gpt")
    with pytest.raises(NotFoundError):
        await routes.set_route(books, "best", targets="nobody/gpt")
    await routes.set_route(books, "gpt", targets="azure/gpt")  # in place of the models of that name


async def test_route_after_removal_leaves_its_name_free(books: SqliteStorage) -> None:
    await routes.set_route(books, "best", targets="openai/gpt")
    assert (await routes.set_status(books, "best", RouteStatus.DISABLED)).route.status is RouteStatus.DISABLED
    removed = await routes.remove(books, "best")
    assert removed.route.status is RouteStatus.REMOVED and await routes.list_all(books) == []
    for reference in ("best", removed.route.public_id):
        with pytest.raises(NotFoundError):
            await routes.show(books, reference)
    again = await routes.set_route(books, "best", targets="azure/gpt")
    assert again.route.public_id != removed.route.public_id


async def reasons(books: SqliteStorage, **asked: str) -> dict[str, Drop | int | None]:
    found = await routes.explain(books, **{"model": "best", "user": "ada", **asked})  # type: ignore[arg-type]
    return {candidate.target.name: candidate.drop or candidate.place for candidate in found}


async def test_route_explanation_gives_the_reason_for_each_target(
    books: SqliteStorage, ada: User, maker: object
) -> None:
    await routes.set_route(books, "best", targets=SYNTAX)
    assert await reasons(books) == {"openai/gpt": 1, "azure/gpt": 1, "claude/opus": 2}
    assert (await reasons(books, endpoint="messages"))["openai/gpt"] == 1, "translated"
    assert (await reasons(books, endpoint="count_tokens"))["openai/gpt"] == 1, "its own way of counting"
    assert (await reasons(books, endpoint="embed_content"))["openai/gpt"] is Drop.DIALECT
    assert (await reasons(books, endpoint="realtime"))["claude/opus"] is Drop.DIALECT
    assert (await reasons(books, endpoint="realtime"))["openai/gpt"] == 1
    await keys.create(books, maker, user="ada", label="few", models=["azure/*"])  # type: ignore[arg-type]
    assert await reasons(books, key="few") == {
        "openai/gpt": Drop.NOT_ALLOWED,
        "azure/gpt": 1,
        "claude/opus": Drop.NOT_ALLOWED,
    }
    await users.update(books, "ada", regions=["us"])
    assert await reasons(books) == {"openai/gpt": 1, "azure/gpt": Drop.REGION, "claude/opus": Drop.REGION}
    await users.update(books, "ada", regions=[])
    async with books.writing() as unit:
        tripped = TargetStats(1, Breaker(5, NOW_US + 9, 1))
        await unit.routes.report(0, [tripped, TargetStats(2, limited_until_us=NOW_US + 9)])
    await models.add(books, name="bare", provider="openai")
    await routes.set_route(books, "best", targets=f"{SYNTAX}, then openai/bare")
    assert await reasons(books) == {
        "openai/gpt": Drop.BREAKER,
        "azure/gpt": Drop.LIMIT,
        "claude/opus": 1,
        "openai/bare": Drop.UNPRICED,
    }
    assert await reasons(books, model="gpt") == {"openai/gpt": Drop.BREAKER, "azure/gpt": Drop.LIMIT}
    assert [found.target.name for found in await routes.health(books)] == ["openai/gpt", "azure/gpt"]


async def test_provider_endpoints_depend_on_the_model(books: SqliteStorage) -> None:
    provider = replace(await providers.find(books.reading(), "openai"), type=ProviderType.VERTEX)
    gemini = replace(await models.find(books.reading(), "openai/gpt"), upstream_name="gemini-2.5-pro")
    claude = replace(gemini, upstream_name="claude-sonnet-4-5")
    assert [routes._speaks(provider, model, "messages") for model in (gemini, claude)] == [True, True]
    assert [routes._speaks(provider, model, "count_tokens") for model in (gemini, claude)] == [True, False]


async def test_route_explanation_with_unknown_or_mismatched_input_is_refused(
    books: SqliteStorage, ada: User, maker: object
) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=ada.role, postpaid=False)
    await keys.create(books, maker, user="bob", label="bobs")  # type: ignore[arg-type]
    for asked in ({"model": "none"}, {"user": "nobody"}, {"key": "none"}):
        with pytest.raises(NotFoundError):
            await reasons(books, **{"model": "gpt", **asked})
    with pytest.raises(BadInputError):
        await reasons(books, model="gpt", key="bobs")
