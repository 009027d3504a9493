"""What docs/reconciling.md shows is what one gets."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.books import make_intent, make_settlement, post
from support.sources import ROOT

from softix_proxy import assembly
from softix_proxy.cli.main import main
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.reporting.reconciliation import DifferenceKind
from softix_proxy.imports import formats
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models, providers

PAGE = (ROOT / "docs" / "reconciling.md").read_text("utf-8")
COSTS = {
    "2026-10-01T09:30:00Z": {"cost_pico": 16_406_720_000_000},
    "2026-10-02T09:30:00Z": {"cost_pico": 8_190_000_000_000},
    "2026-10-02T09:40:00Z": {
        "source": UsageSource.INTERRUPTED,
        "meters": {},
        "hold_pico": 400_000_000_000,
        "cost_pico": 0,
    },
}
"""When, and what is recorded of a request."""


async def _prepare(folder: Path) -> None:
    made = assembly.read_settings(None, folder)
    await assembly.initialise(made)
    async with assembly.open_instance(made) as opened:
        storage, vault = opened.storage, await opened.vault()
        await users.create(storage, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=True)
        await keys.create(storage, vault, user="ada", label="ci")
        kind = ProviderType.OPENAI_COMPATIBLE
        await providers.add(storage, vault, name="reseller", kind=kind, base_url="http://127.0.0.1:9", key="none")
        await models.add(storage, name="gpt-4o", provider="reseller", sheet=None)
        connection = opened.database.connect()
        for number, (at, changes) in enumerate(COSTS.items(), 1):
            one = make_settlement(make_intent(number, 0, postpaid=True), **{"charge_pico": 0, **changes})  # type: ignore[arg-type]
            post(connection, [one], parse_instant(at))
        connection.close()


def test_reconciling_page_equals_the_output_of_its_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOFTIX_MASTER_KEY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "softix"
    asyncio.run(_prepare(folder))
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"^`(costs\.\w+)`\n\n```\w+\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        Path(name).write_text(text, "utf-8")
    [shown] = re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    told = ""
    for line in re.findall(r"^\$ softix (.*)", shown, re.MULTILINE):
        result = CliRunner().invoke(main, ["--data-dir", str(folder), *shlex.split(line)])
        told += f"$ softix {line}\n{result.output}"
        assert result.exit_code == ("Beyond the tolerance" in result.output)
    assert shown == told


def test_reconciling_page_names_each_format_and_difference() -> None:
    for name in (*formats.KINDS, "mapping", *(kind.value for kind in DifferenceKind)):
        assert f"| `{name}` |" in PAGE, name
