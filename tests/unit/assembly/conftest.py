from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from softix_proxy import assembly
from softix_proxy.settings import Settings


@pytest.fixture
async def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of an initialised instance, which serves at a free port."""
    monkeypatch.delenv("SOFTIX_MASTER_KEY", raising=False)
    settings = assembly.read_settings(None, tmp_path / "softix")
    await assembly.initialise(settings)
    return replace(settings, server=replace(settings.server, port=0))
