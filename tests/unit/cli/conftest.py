"""Commands on a real instance, within this process."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from softix_proxy import assembly
from softix_proxy.cli.main import main

Softix = Callable[..., Result]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of a new one."""
    for name in ("SOFTIX_MASTER_KEY", "CREDENTIALS_DIRECTORY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "softix"
    asyncio.run(assembly.initialise(assembly.read_settings(None, folder)))
    return folder


@pytest.fixture
def run(instance: Path) -> Softix:
    """`run("users list", code=0)`."""

    def run(line: str, code: int = 0, stdin: str = "") -> Result:
        result = CliRunner().invoke(main, ["--data-dir", str(instance), *shlex.split(line)], input=stdin)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def read(run: Softix) -> Callable[[str], Any]:
    """The same with `--json`, decoded."""
    return lambda line: json.loads(run(f"{line} --json").stdout)
