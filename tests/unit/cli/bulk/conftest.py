from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from support.applied import TOML


@pytest.fixture
def file(tmp_path: Path, run: Callable[..., Result]) -> Path:
    run("providers add lab --type openai-compatible --base-url http://lab.example --no-test")
    place = tmp_path / "softix.toml"
    place.write_text(TOML)
    return place
