from dataclasses import replace

import pytest
from support.organisation import project

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.ports.storage import Storage


async def test_project_is_found_by_id_and_by_name_within_its_organisation(storage: Storage) -> None:
    bot = await project(storage, "Bot")
    unit = storage.reading()
    assert bot.id > 0 and await unit.projects.list(1) == [bot]
    for reference in ("prj_Bot", "Bot", "bot"):
        assert await unit.projects.find(1, reference) == bot
        assert await unit.projects.find(2, reference) is None, "it is another organisation's"
    assert await unit.projects.list(2) == []


async def test_project_name_is_taken_until_the_project_is_archived(storage: Storage) -> None:
    bot = await project(storage, "bot")
    async with storage.writing() as unit:
        with pytest.raises(ConflictError, match="already"):
            await unit.projects.add(replace(bot, public_id="prj_two", name="BOT"))
        assert (await unit.projects.add(replace(bot, public_id="prj_bob", user_id=2))).user_id == 2
        await unit.projects.update(replace(bot, archived_at_us=5))
        later = await unit.projects.add(replace(bot, public_id="prj_two", name="BOT"))
        assert await unit.projects.find(1, "bot") == later, "a name means the one that is not archived"
        assert await unit.projects.find(1, "prj_bot") == replace(bot, archived_at_us=5)
        with pytest.raises(ConflictError):
            await unit.projects.update(replace(bot, archived_at_us=None))


async def test_changed_project_leaves_the_directory_as_it_is(storage: Storage) -> None:
    revision = (await storage.changes(0)).revision
    bot = await project(storage, "bot")
    async with storage.writing() as unit:
        await unit.projects.update(replace(bot, name="help desk"))
    assert [each.name for each in await storage.reading().projects.list(1)] == ["help desk"]
    assert (await storage.changes(0)).revision == revision
