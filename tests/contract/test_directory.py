"""What `changes` tells, and that a directory kept up to date by it equals one that is read at once."""

from dataclasses import fields, replace
from fractions import Fraction

import pytest
from support.engines import Books

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.prices import MarkupVersion, PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.routing.directory import Changes, Directory

FREE = PriceSheet.parse({"free": True})
KINDS = tuple(field.name for field in fields(Changes) if field.name != "revision")


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


def told(changes: Changes) -> dict[str, list[int]]:
    """Kind of row → the ids told, without the kinds that are not."""
    found = {kind: [row.id for row in getattr(changes, kind)] for kind in KINDS}
    return {kind: ids for kind, ids in found.items() if ids}


async def furnish(unit: Unit) -> tuple[User, Provider, Model]:
    user = await unit.users.add(User(0, "usr_a", "ada", "ada@example.org", UserRole.USER, UserStatus.ACTIVE, False, 1))
    lab = await unit.providers.add(
        Provider(0, "prv_lab", "lab", ProviderType.DEMO, "", None, "drain", ProviderStatus.ACTIVE, 7)
    )
    asked = [Model(0, name, lab.id, name, None, None, ModelStatus.ACTIVE, 9) for name in ("one", "two")]
    return user, lab, (await unit.models.add_all(asked))[0]


async def test_directory_changes_of_an_empty_database_are_empty(storage: Storage) -> None:
    assert told(await storage.changes(0)) == {}


async def test_directory_changes_since_a_revision_contain_exactly_what_changed(storage: Storage) -> None:
    async with storage.writing() as unit:
        user, lab, one = await furnish(unit)
    first = await storage.changes(0)
    assert told(first) == {"users": [user.id], "providers": [lab.id], "models": [one.id, one.id + 1]}
    assert told(await storage.changes(first.revision)) == {}
    assert (await storage.changes(first.revision)).revision == first.revision

    async with storage.writing() as unit:
        await unit.models.update(replace(one, status=ModelStatus.DISABLED))
    second = await storage.changes(first.revision)
    assert told(second) == {"models": [one.id]}
    assert second.models[0].status is ModelStatus.DISABLED
    assert second.revision > first.revision

    async with storage.writing() as unit:
        [price] = await unit.prices.add_all([PriceVersion(0, one.id, None, "operator", FREE, 1, 1)])
        markup = await unit.prices.add_markup(MarkupVersion(0, "user", user.id, Fraction(1), 1, 1))
        await unit.users.update(replace(user, status=UserStatus.DISABLED))
    third = await storage.changes(second.revision)
    assert told(third) == {"users": [user.id], "prices": [price.id], "markups": [markup.id]}


async def test_directory_changes_after_an_update_without_effect_are_empty(storage: Storage) -> None:
    async with storage.writing() as unit:
        _, lab, _ = await furnish(unit)
        await unit.models.disable_all(lab.id)
    revision = (await storage.changes(0)).revision
    async with storage.writing() as unit:
        await unit.models.disable_all(lab.id)
    with pytest.raises(KeyError):
        async with storage.writing() as unit:
            await unit.providers.update(replace(lab, status=ProviderStatus.DISABLED))
            raise KeyError
    after = await storage.changes(revision)
    assert (after.revision, told(after)) == (revision, {})


async def test_directory_after_incremental_changes_equals_one_read_at_once(storage: Storage) -> None:
    kept = Directory()
    async with storage.writing() as unit:
        user, lab, one = await furnish(unit)
    kept.apply(await storage.changes(kept.revision))
    async with storage.writing() as unit:
        await unit.providers.update(replace(lab, name="labs"))
        await unit.prices.add_all([PriceVersion(0, one.id, user.id, "customer", FREE, 1, 1)])
    kept.apply(await storage.changes(kept.revision))
    fresh = Directory()
    fresh.apply(await storage.changes(0))
    assert kept == fresh
    assert [model.name for model in kept.models_named("labs/one")] == ["one"]
    assert kept.models_named("lab/one") == ()


async def test_directory_finds_a_key_by_its_digest(storage: Storage) -> None:
    async with storage.writing() as unit:
        user, _, _ = await furnish(unit)
        key = Key(
            0,
            "key_a",
            user.id,
            "",
            "sx_live_ab",
            b"d" * 32,
            ("gpt-*",),
            (),
            KeyLimits(rpm=3),
            KeyStatus.ACTIVE,
            None,
            1,
        )
        added = await unit.keys.add(key)
    directory = Directory()
    directory.apply(await storage.changes(0))
    assert directory.keys == {b"d" * 32: replace(key, id=added.id)}
