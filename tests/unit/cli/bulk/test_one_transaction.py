from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.applied import TOML

Run = Callable[..., Result]
Read = Callable[[str], Any]


def test_part_that_the_token_may_not_do_is_refused_with_its_name(
    file: Path, run: Run, read: Read, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, read_token = (read(f"tokens create --role {role}")["token"] for role in ("support", "auditor"))
    monkeypatch.setenv("SOFTIX_TOKEN", token)
    said = run(f"apply {file} --yes", code=1)
    assert said.stderr.startswith("softix: credit_limits bob@example.org: balance.show needs the permission")
    monkeypatch.setenv("SOFTIX_TOKEN", read_token)
    file.write_text(TOML.partition("[[organisations]]")[0])
    said = run(f"apply {file} --yes", code=1)
    assert said.stderr.startswith("softix: users bob: users.create needs the permission users.write")
