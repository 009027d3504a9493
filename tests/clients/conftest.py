"""Programs that nobody here wrote, each against a daemon of its own and a provider whose model calls tools.

They are heavy, so that they are no part of the test extra: `pip install '.[clients]'`, and `npm install` of what
`tests/clients/package.json` names. What is missing is skipped; with SOFTIX_CLIENTS_REQUIRED it fails.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.daemon import PRICE, Prepared, prepared
from support.process import ServerProcess

from softix_proxy.domain.pricing import PriceSheet
from softix_proxy.domain.providers import ProviderType
from softix_proxy.operations import models, providers

MODULES = Path(__file__).with_name("node_modules")
BIN = MODULES / ".bin"
MODELS = {"openai": "gpt-agent", "anthropic": "claude-agent", "gemini": "gemini-agent"}
"""The dialect that a model's provider speaks → its name."""


def missing(what: str) -> None:
    if os.environ.get("SOFTIX_CLIENTS_REQUIRED"):
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed; see tests/clients/conftest.py")


def program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([str(BIN), os.environ["PATH"]]))
    if found is None:
        missing(name)
    return str(found)


PACKAGES = {"openai_sdk.mjs": "openai", "anthropic_sdk.mjs": "@anthropic-ai/sdk"}
"""Script → the npm package that it runs."""


def package(script: str) -> None:
    if not (MODULES / PACKAGES[script]).is_dir():
        missing(PACKAGES[script])


def library(name: str) -> None:
    try:
        present = find_spec(name) is not None
    except ModuleNotFoundError:
        present = False
    if not present:
        missing(name)


@pytest.fixture(scope="session")
def agents_provider() -> Iterator[ServerProcess]:
    server = ServerProcess("agent_server.py")
    yield server
    server.stop()


@pytest.fixture
async def served(tmp_path: Path, agents_provider: ServerProcess) -> AsyncIterator[Prepared]:
    """Agents hold much: their prompts are long, and they ask for long answers."""
    made = await prepared(
        tmp_path,
        agents_provider.base_url,
        chat_models=(MODELS["openai"],),
        message_models=(MODELS["anthropic"],),
        balance="1000.00",
    )
    async with made.instance.office() as office:
        storage, name = office.storage, "gemini-lab"
        key = f"sk-{secrets.token_urlsafe(24)}"
        await providers.add(
            storage,
            await office.vault(),
            name=name,
            kind=ProviderType.GEMINI,
            base_url=agents_provider.base_url,
            key=key,
        )
        sheet = PriceSheet.parse({"bands": [{"prices": PRICE}]})
        await models.add(storage, name=MODELS["gemini"], provider=name, sheet=sheet)
    async with made.instance.serving():
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory, and an empty project in it."""
    (tmp_path / "home" / "project").mkdir(parents=True)
    return tmp_path / "home"


def settled(made: Prepared) -> list[dict[str, object]]:
    """All usage rows: each request was answered, metered and charged, and the books agree."""
    rows = made.usage()
    assert rows and all(row["status_code"] == 200 and row["error"] is None for row in rows), rows
    assert all(row["charge"] != "0.00" for row in rows if row["endpoint"] != "count_tokens")
    assert made.verify()["ok"] and made.balance()["held"] == "0.00"
    return rows
