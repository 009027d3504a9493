"""What examples/ shows is run as it is told there, against a daemon with the demo provider."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from support.daemon import Instance
from support.process import ROOT, environment

from softix_proxy import assembly
from softix_proxy.demo.models import models
from softix_proxy.operations.instance import quickstart

EXAMPLES = ROOT / "examples"
RUNNERS = {".py": [sys.executable], ".mjs": ["node"], ".sh": ["sh"]}
SNIPPETS = ["openai_chat.py", "anthropic_messages.py", "openai_chat.mjs", "anthropic_messages.mjs", "curl.sh"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Instance, str]]:
    instance = Instance(tmp_path_factory.mktemp("demo"))
    await assembly.initialise(instance.settings)
    async with instance.opened() as opened:
        prepared = await quickstart.prepare(opened.storage, await opened.vault(), models())
    async with instance.serving(SOFTIX_DEMO_TOKENS_PER_S="2000"):
        yield instance, prepared.key_text or ""


def run(name: str, instance: Instance, key: str, *arguments: str) -> str:
    runner = RUNNERS[Path(name).suffix]
    assert shutil.which(runner[0]), f"{runner[0]} is needed to run examples/{name}"
    variables = environment(PROXY_URL=instance.url, PROXY_KEY=key)
    done = subprocess.run([*runner, str(EXAMPLES / name), *arguments], capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [name for name in SNIPPETS if Path(name).suffix != ".mjs" or shutil.which("node")])
async def test_example_snippet_runs_and_is_metered(demo: tuple[Instance, str], name: str) -> None:
    instance, key = demo
    before = len(instance.cli("usage", "list", "--limit", "1000"))
    assert "demo" in run(name, instance, key)
    rows: list[dict[str, Any]] = instance.cli("usage", "list", "--limit", "1000")
    assert len(rows) > before and rows[0]["usage_source"] == "provider"


async def test_import_usage_example_makes_a_journal_that_equals_the_ledger(
    demo: tuple[Instance, str], tmp_path: Path
) -> None:
    instance, key = demo
    run("openai_chat.py", instance, key)
    export = tmp_path / "all.csv"
    instance.cli("usage", "export", "--from", "2020-01-01", "--to", "2100-01-01", "--out", str(export))
    text = run("import_usage.py", instance, key, str(export))
    charged = sum(Decimal(amount) for amount in re.findall(r"liabilities:\S+  (\S+) USD", text))
    revenue = next(row for row in instance.cli("ledger", "accounts") if row["account"] == "revenue")
    assert charged == Decimal(revenue["balance"]) > 0
    assert charged == -sum(Decimal(amount) for amount in re.findall(r"income:ai  (\S+) USD", text))


def test_example_service_unit_has_the_expected_options() -> None:
    unit = (EXAMPLES / "softix.service").read_text("utf-8")
    assert "LoadCredential=softix-master-key:" in unit and "LimitCORE=0" in unit
    assert re.search(r"^ExecStart=\S+/softix --data-dir \S+ serve$", unit, re.M)


def test_example_proxy_snippet_disables_buffering_and_logs_no_query() -> None:
    text = (EXAMPLES / "nginx.conf").read_text("utf-8")
    for line in ("proxy_request_buffering off;", "proxy_buffering off;", "proxy_max_temp_file_size 0;"):
        assert line in text
    assert "$request_uri" not in text and "$args" not in text and "$request " not in text
