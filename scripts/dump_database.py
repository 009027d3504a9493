"""Writes a small database of the newest schema, as SQL, for the tests that each later version must still open it.

    python scripts/dump_database.py > tests/contract/databases/0001.sql

Run it once for each new migration; files of earlier versions stay as they are.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from softix_proxy import assembly, settings
from softix_proxy.demo import check
from softix_proxy.demo.models import models as demo_models
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.pricing.rates import PriceSheet, parse_markup
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.instance import quickstart
from softix_proxy.operations.ledger import balance, periods
from softix_proxy.operations.pricing import prices
from softix_proxy.storage.sqlite.core.engine import connect
from softix_proxy.storage.sqlite.core.migrations import APPLICATION_ID, latest

SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "1.00", "output": "2.00"}}]})


async def fill(folder: Path) -> Path:
    """A user with money, a key with limits, a provider, a priced model, a mark-up, two requests; all is closed.

    The master key is thrown away, so that no secret opens anything.
    """
    made = settings.load(None, folder, {})
    await assembly.initialise(made)
    async with assembly.open_instance(made) as opened:
        storage, vault = opened.storage, await opened.vault()
        await providers.add(
            storage, vault, name="lab", kind=ProviderType.OPENAI_COMPATIBLE, base_url="http://127.0.0.1:9", key="no-key"
        )
        await models.add(storage, name="m", provider="lab", sheet=SHEET, context_tokens=1000, max_output_tokens=100)
        await users.create(storage, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=False)
        await balance.add(storage, "ada@example.org", 25 * 10**12, note="invoice 1", reference="pay-1")
        await balance.set_to(storage, "ada@example.org", 20 * 10**12, note="goodwill")
        await keys.create(
            storage, vault, user="ada", label="ci", models=["m*"], limits=KeyLimits(rpm=60, cap_pico=10**12)
        )
        await prices.set_markup(storage, parse_markup("7.5%"))
        demo = await quickstart.prepare(storage, vault, demo_models())
    served = replace(made, server=replace(made.server, port=0))
    async with assembly.serving(served) as daemon:
        await check.run(daemon.url, demo.key_text or "")
        await daemon.stop(asyncio.Event())
    async with assembly.open_instance(made) as opened:
        until = format_instant(opened.clock.now_us())
        await periods.close(opened.storage, periods.asked("all", "2026-01-01", until, "UTC"))
    return made.paths.database


def dump(database: Path) -> str:
    """Triggers come after the rows, so that they do not work a second time."""
    connection = connect(database)
    lines = [f"PRAGMA application_id = {APPLICATION_ID};", f"PRAGMA user_version = {latest()};"]
    made = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    lines += [f"{sql};" for kind, _, sql in made if kind == "table"]
    for table in (name for kind, name, _ in made if kind == "table"):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = " || ', ' || ".join(f"quote({column})" for column in columns)
        rows = connection.execute(f"SELECT {values} FROM {table}").fetchall()
        lines += [f"INSERT INTO {table} VALUES ({row[0]});" for row in rows]
    lines += [f"{sql};" for kind, _, sql in made if kind != "table"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as place:
            sys.stdout.write(dump(asyncio.run(fill(Path(place) / "softix"))))
    except FailureError as error:
        sys.exit(f"{error.message}: {error.remedy}")
