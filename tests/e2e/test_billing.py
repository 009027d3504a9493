"""What docs/billing.md shows is what one gets."""

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
from softix_proxy.domain.core.clock import SystemClock, parse_instant
from softix_proxy.domain.pricing.rates import PriceSheet, Rate, parse_markup
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.pricing import prices

PAGE = (ROOT / "docs" / "billing.md").read_text("utf-8")
SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "2.50", "cached_input": "1.25", "output": "10.00"}}]})
METERS = {"input_tokens": 4_310_220, "cached_input_tokens": 1_288_000, "output_tokens": 402_117}
CHANCE = re.compile(r"usr_[0-9a-z]{16}|[0-9a-f]{64}")
"""Ids, and hashes of what names them."""


async def _prepare(folder: Path) -> None:
    made = assembly.read_settings(None, folder)
    await assembly.initialise(made)
    async with assembly.open_instance(made) as opened:
        storage, vault = opened.storage, await opened.vault()
        await users.create(storage, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=True)
        await keys.create(storage, vault, user="ada", label="ci")
        await providers.add(
            storage,
            vault,
            name="openai",
            kind=ProviderType.OPENAI_COMPATIBLE,
            base_url="http://127.0.0.1:9",
            key="none",
        )
        await models.add(storage, name="gpt-4o", provider="openai", sheet=SHEET)
        await prices.set_markup(storage, parse_markup("7.5%"))
        rate = Rate(1, SHEET, parse_markup("7.5%"))
        charged = rate.price(METERS)
        intent = make_intent(1, 0, postpaid=True, price_id=1)
        amounts = {"cost_pico": charged.cost_pico, "charge_pico": charged.charge_pico, "markup": rate.markup}
        connection = opened.database.connect()
        post(connection, [make_settlement(intent, meters=METERS, **amounts)], parse_instant("2026-10-07T09:30:00Z"))
        connection.close()


def test_billing_page_equals_the_output_of_its_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOFTIX_MASTER_KEY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(SystemClock, "now_us", lambda self: parse_instant("2026-11-02T08:00:00Z"))
    folder = tmp_path / "softix"
    folder.mkdir()
    [config] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (folder / "config.toml").write_text(config)
    asyncio.run(_prepare(folder))
    [shown] = re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert CHANCE.sub("…", shown) == CHANCE.sub("…", _session(folder, shown))


def _session(folder: Path, shown: str) -> str:
    told = ""
    for line in re.findall(r"^\$ softix (.*)", shown, re.MULTILINE):
        result = CliRunner().invoke(main, ["--data-dir", str(folder), *shlex.split(line)])
        assert result.exit_code == 0, result.output
        told += f"$ softix {line}\n{result.output}"
    return told
