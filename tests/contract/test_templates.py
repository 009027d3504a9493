"""Templates as they are stored, and where they are the default."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.access.templates import (
    WHOLE_INSTANCE,
    LimitTemplate,
    TemplateCap,
    TemplateDefault,
    TemplatePart,
)
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.ports.storage import Storage

PARTS = (
    TemplatePart("", 60, None, 3, (TemplateCap("day", 5), TemplateCap("month", 7, "Europe/Berlin", "15", "50,80"))),
    TemplatePart("openai/*", None, 1000),
)
TRIAL = LimitTemplate(0, "trial", "key", PARTS, 1)


async def test_template_is_found_by_its_name_and_changed(books: Books, storage: Storage) -> None:
    async with storage.writing() as unit:
        added = await unit.templates.add(TRIAL)
        assert added == replace(TRIAL, id=added.id)
        assert await unit.templates.find("TRIAL") == added and await unit.templates.find("other") is None
        with pytest.raises(ConflictError, match="'Trial' already"):
            await unit.templates.add(replace(TRIAL, name="Trial"))
        await unit.templates.set_parts(added.id, PARTS[1:])
        assert await unit.templates.list() == [replace(added, parts=PARTS[1:])]


async def test_default_of_an_organisation_comes_before_that_of_the_instance(books: Books, storage: Storage) -> None:
    async with storage.writing() as unit:
        whole = await unit.templates.add(TRIAL)
        own = await unit.templates.add(replace(TRIAL, name="own"))
        assert await unit.templates.default_for("key", 1) is None
        await unit.templates.set_default(TemplateDefault(whole.id, "key", WHOLE_INSTANCE))
        await unit.templates.set_default(TemplateDefault(whole.id, "key", 1))
        await unit.templates.set_default(TemplateDefault(own.id, "key", 1))
        assert [await unit.templates.default_for("key", user) for user in (1, 2)] == [own, whole]
        assert await unit.templates.default_for("user", 1) is None
        assert await unit.templates.defaults() == [
            TemplateDefault(whole.id, "key", WHOLE_INSTANCE),
            TemplateDefault(own.id, "key", 1),
        ]
        await unit.templates.clear_default(TemplateDefault(whole.id, "key", 1))
        assert await unit.templates.default_for("key", 1) == own, "it was the default of another template"
        await unit.templates.remove(own.id)
        assert await unit.templates.default_for("key", 1) == whole
        await unit.templates.clear_default(TemplateDefault(whole.id, "key", WHOLE_INSTANCE))
        assert await unit.templates.defaults() == []
