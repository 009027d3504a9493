"""What the provider asks and what the customer pays come from two price sheets, wherever either is told."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake

PROVIDER_COST = "0.1975"
"""gpt-4o in the catalogue: 50,000 × 2.50 + 50,000 cached × 1.25 + 1,000 × 10.00, each for a million."""
CHARGE = "0.102"
"""The customer's own price: 100,000 × 1.00 + 1,000 × 2.00, each for a million."""
SPAN = ("--from", "2020-01-01", "--to", "2999-01-01")


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    """ada has a price of her own for gpt-4o, all of it: `--replace` keeps nothing of the catalogue's."""
    made = await prepared(tmp_path, fake_provider.base_url)
    softix = made.instance.cli
    softix(
        *("providers", "add", "openai", "--base-url", fake_provider.base_url, "--models", "gpt-4o", "--key-stdin"),
        stdin="sk-of-a-lab",
    )
    softix("prices", "set", "openai/gpt-4o", "--input", "1", "--output", "2", "--user", "ada", "--replace")
    async with made.instance.serving():
        yield made


async def ask(client: Prepared, **directives: Any) -> None:
    body = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "x" * 100_000}], "max_tokens": 1000}
    headers = {**client.headers, **fake(tokens="100000,1000", cached=50_000, **directives)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.openai_url}/chat/completions", json=body, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        await answer.read()


async def test_cost_and_charge_in_every_report_come_from_separate_price_sheets(
    client: Prepared, tmp_path: Path
) -> None:
    await ask(client)
    softix = client.instance.cli
    [row] = client.usage()
    assert (row["provider_cost"], row["charge"], row["note"]) == (PROVIDER_COST, CHARGE, None)
    [total] = softix("usage", "summary", "--by", "provider")["rows"]
    assert (total["provider_cost"], total["charge"]) == (PROVIDER_COST, CHARGE)
    told = softix("usage", "explain", row["request_id"])
    assert told["agrees"] is True
    assert (told["provider_cost"], told["charge"], told["lines_charge"]) == (PROVIDER_COST, CHARGE, CHARGE)
    assert told["price_version"] != told["cost_price_version"]
    assert [(line["meter"], line["unit_price"], line["provider_cost"]) for line in told["cost_lines"]] == [
        ("input_tokens", "2.5", "0.125"),
        ("cached_input_tokens", "1.25", "0.0625"),
        ("output_tokens", "10", "0.01"),
    ]
    out = {form: tmp_path / f"books.{form}" for form in ("csv", "focus", "hledger")}
    for form, path in out.items():
        costs = ("--costs",) if form == "hledger" else ()
        await asyncio.to_thread(softix, "usage", "export", *SPAN, "--format", form, "--out", str(path), *costs)
    with out["csv"].open(newline="") as file:
        [line] = csv.DictReader(file)
    assert (line["provider_cost"], line["charge"]) == (PROVIDER_COST, CHARGE)
    with out["focus"].open(newline="") as file:
        assert PROVIDER_COST in [line["x_ProviderCost"] for line in csv.DictReader(file)]
    assert PROVIDER_COST in out["hledger"].read_text() and CHARGE in out["hledger"].read_text()
    assert client.verify()["ok"] is True
