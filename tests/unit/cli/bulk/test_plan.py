from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.applied import TOML

Run = Callable[..., Result]
Read = Callable[[str], Any]


def test_change_between_plan_and_deed_is_noticed(
    file: Path, run: Run, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from softix_proxy.cli.bulk import apply as module

    run(f"apply {file} --yes")
    file.write_text(TOML.replace("rpm = 60", "rpm = 90"))

    def change(*_: object) -> None:
        other = threading.Thread(target=lambda: run("users update bob --display-name Robert"))
        other.start()
        other.join()

    with monkeypatch.context() as patch:
        patch.setattr(module, "confirm", change)
        assert "users bob: somebody has changed it meanwhile" in run(f"apply {file} --yes", code=1).stderr
    assert read("keys list --user bob")[0]["rpm"] == 60
