"""A database as it is after years: many keys, many usage rows."""

from __future__ import annotations

import asyncio
import os
import re
import time
import urllib.request
from pathlib import Path

from softix_proxy import assembly, settings
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.operations.metering import usage
from softix_proxy.storage.sqlite.core.engine import connect

_MONTH_DAYS = 30
_FILL = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO usage (id, request_id, usage_at_us, user_id, key_id, provider_id, model_id, endpoint, stream, input_tokens,
  output_tokens, requests, service_tier, price_id, markup_num, markup_den, cost_pico, charge_pico, hold_pico,
  status_code, latency_ms, ttfb_ms, attempts, source)
SELECT ?2 + i * ?3, i, ?2 + i * ?3, 1, 1 + i % ?4, 1, 1, 'chat_completions', 0, i % 5000, i % 700, 1, 'standard',
  1, 1, 1, 1000 * i, 1000 * i, 2000 * i, 200, i % 900, i % 300, 1, 'provider' FROM n"""
_CHARGES = """INSERT INTO transfers (id, from_account, to_account, amount_pico, kind)
SELECT id, user_id, -2, charge_pico, 'charge' FROM usage WHERE charge_pico > 0"""
_DAILY = """INSERT INTO usage_daily
SELECT id / 86400000000, key_id, model_id, 1, 1, count(*), 0, sum(input_tokens), sum(output_tokens), sum(cost_pico),
  sum(charge_pico) FROM usage GROUP BY 1, 2, 3"""
_KEYS = """
WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO keys (id, public_id, user_id, prefix, digest, created_at_us)
SELECT i, 'key_bench' || i, 1, 'sx_live_' || i, CAST('digest' || i AS BLOB), 1 FROM n"""


async def fill(data_dir: Path, rows: int, keys: int) -> None:
    """Over the last thirty days."""
    made = settings.load(None, data_dir, {})
    connection = connect(made.paths.database)
    connection.execute("PRAGMA synchronous = OFF")
    from_us = time.time_ns() // 1000 - _MONTH_DAYS * DAY_US
    connection.execute("BEGIN")
    connection.execute(_KEYS, (keys,))
    connection.execute(_FILL, (rows, from_us, (_MONTH_DAYS * DAY_US - DAY_US // 24) // rows, min(keys, 1000)))
    connection.execute(_CHARGES)
    connection.execute(_DAILY)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.sync()  # else what was filled in is still being written while commits are timed


def longest_commit_ms(url: str) -> float:
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        text = answer.read().decode()
    found = re.search(r"^softix_journal_longest_commit_seconds (\S+)$", text, re.M)
    assert found
    return float(found[1]) * 1000


def export_rows_per_s(data_dir: Path) -> tuple[float, float]:
    """By the clock, and by the CPU, which other programs spoil less."""

    async def export() -> tuple[int, float, float]:
        made = settings.load(None, data_dir, {})
        async with assembly.open_instance(made) as opened:
            began_s, began_cpu_s, rows = time.monotonic(), time.process_time(), 0
            ever = usage.parse_span("2020-01-01", "2100-01-01")
            found = await usage.export(opened.storage, usage.FORMATS["csv"], ever, None)
            async for chunk in found.chunks:
                rows += chunk.rows
            return rows, time.monotonic() - began_s, time.process_time() - began_cpu_s

    rows, took_s, cpu_s = asyncio.run(export())
    return rows / took_s, rows / cpu_s


def summary_s(data_dir: Path) -> float:
    async def summary() -> float:
        made = settings.load(None, data_dir, {})
        async with assembly.open_instance(made) as opened:
            began_s = time.monotonic()
            await usage.summary(opened.storage, "model", None, None)
            return time.monotonic() - began_s

    return asyncio.run(summary())
