"""Keys of before the names of rights were divided are migrated: they lose no right that was meant, and gain none."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.storage.sqlite.core import migrations, upgrade
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import connect
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="opens files of earlier versions")

PROVIDERS = {"openai": ("gpt-4o", "o3"), "openrouter": ("openai/gpt-4o", "meta/llama", "auto"), "ollama": ("llama",)}
CASES = {
    "openai/*": ["openai/*"],
    "openai/gpt-4o": ["openai/gpt-4o"],
    "openrouter/*": ["openrouter/*"],
    "gpt-*": ["gpt-*"],
    "*": ["*"],
    "*llama*": ["*llama*"],
    "meta/*": ["*/meta/*"],
    "meta/llama": ["*/meta/llama"],
    "nobody/*": ["nobody/*"],
    "openai*": ["openai*/*"],
    "openr*auto": ["openr*/*auto"],
    "o*": ["o*"],
    "team*": ["team*"],
    "team/*": ["team/*"],
    "best": ["best"],
    "[!o]*a": ["[!o]*a"],
}
"""The pattern of before → what it becomes. `o*` stands for models and for providers, so it keeps the models."""


async def migrated(place: Path, patterns: list[list[str]]) -> SqliteStorage:
    """A database of the schema before, with these providers, and with one key for each list of patterns."""
    number = next(number for number, name, _ in migrations.available() if name == "names_of_rights")
    connection = connect(place, make=True)
    connection.execute("PRAGMA foreign_keys = OFF")
    dump = Path(__file__).with_name("databases") / f"{number - 1:04d}.sql"
    connection.execute(dump.read_text("utf-8"))
    for name, models in PROVIDERS.items():
        connection.execute(
            "INSERT INTO providers (public_id, name, type, base_url, on_hang_up, created_at_us)"
            " VALUES ('prv_' || ?1, ?1, 'openai-compatible', 'http://lab:1', 'cancel', 0)",
            (name,),
        )
        for model in models:
            connection.execute(
                "INSERT INTO models (name, provider_id, upstream_name, created_at_us)"
                " SELECT ?2, id, ?2, 0 FROM providers WHERE name = ?1",
                (name, model),
            )
    connection.execute(
        "INSERT INTO routes (public_id, name, legs, retries, sticky, created_at_us)"
        " VALUES ('rte_1', 'team/fast', '[]', 0, 0, 0), ('rte_2', 'best', '[]', 0, 0, 0)"
    )
    for number, each in enumerate(patterns):
        connection.execute(
            "INSERT INTO keys (public_id, user_id, label, prefix, digest, models, created_at_us)"
            " VALUES (?1, 1, ?1, '', ?2, ?3, 0)",
            (f"key_{number}", b"%d" % number, json.dumps(each)),
        )
    connection.close()
    database = Database(place, SystemClock())
    upgrade.migrate(database)
    await database.open()
    return SqliteStorage(database)


async def test_migrated_patterns_keep_what_was_meant(tmp_path: Path) -> None:
    storage = await migrated(tmp_path / "softix.db", [[pattern] for pattern in CASES])
    unit = storage.reading()
    found = {}
    for number, pattern in enumerate(CASES):
        key = await unit.keys.find(f"key_{number}")
        assert key is not None and key.earlier_models == (pattern,)
        found[pattern] = list(key.models)
    assert found == CASES


async def test_migrated_lists_keep_their_order_and_an_empty_list_stays_empty(tmp_path: Path) -> None:
    storage = await migrated(tmp_path / "softix.db", [["gpt-*", "meta/*", "openai/*"], []])
    unit = storage.reading()
    several, none = await unit.keys.find("key_0"), await unit.keys.find("key_1")
    assert several is not None and several.models == ("gpt-*", "*/meta/*", "openai/*")
    assert none is not None and none.models == none.earlier_models == ()


async def test_no_migrated_key_may_use_a_model_that_it_could_not_use_before(tmp_path: Path) -> None:
    storage = await migrated(tmp_path / "softix.db", [[pattern] for pattern in CASES])
    directory = Directory()
    directory.apply(await storage.changes(0))

    def could(pattern: str, model: Model) -> bool:
        """By the rule of before: any name of the model, as text."""
        return any(fnmatchcase(name, pattern) for name in directory.names_of(model))

    lost = set()
    for key in directory.keys.values():
        if not key.earlier_models:
            continue
        for model in directory.models.values():
            provider, user = directory.providers[model.provider_id], directory.users[key.user_id]
            can, whole = access(user, key, provider, model) is None, directory.names_of(model)[1]
            assert could(key.earlier_models[0], model) or not can, (key.earlier_models, whole)
            if could(key.earlier_models[0], model) and not can:
                lost.add((key.earlier_models[0], whole))
    assert {(pattern, name) for pattern, name in lost if not pattern.startswith("o")} == set()
    assert ("openai/*", "openrouter/openai/gpt-4o") in lost and ("openai/*", "openai/gpt-4o") not in lost
