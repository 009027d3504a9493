from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result, _NamedTextIOWrapper

from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_top_once_in_a_pipe_prints_one_line(database: Database, run: Softix) -> None:
    [line] = run("top --once").stdout.splitlines()
    assert line[20:] == (
        "  requests 2  errors 1  tokens 1000→100  charge $0.0028  open 0  held $0.00  limits 1  breakers 0"
    )


def test_top_with_json_prints_an_object_a_line(database: Database, run: Softix) -> None:
    lines = run("top --json --count 2 --interval 0.1 --errors --user ada").stdout.splitlines()
    shown = [json.loads(line) for line in lines]
    assert [each["last_minute"]["requests"] for each in shown] == [1, 1]
    assert shown[0]["filter"] == {"user": "ada", "key": None, "model": None, "errors_only": True}


def test_top_once_on_a_terminal_shows_all_lists_and_no_keys(
    database: Database, run: Softix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    shown = run("top --once").stdout
    assert "Slowest requests of five minutes" in shown and "Limits near their end: 1" in shown
    assert "q quit" not in shown and "\x1b[?1049h" not in shown


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("top --user eve", 1, "no user"),
        ("top --key eve", 1, "no key"),
        ("top --model eve", 1, "no model"),
        ("top --interval 0", 2, "--interval"),
        ("top --count 0", 2, "--count"),
        ("top --sort size", 2, "--sort"),
    ],
)
def test_top_with_a_bad_option_is_refused(database: Database, run: Softix, line: str, code: int, told: str) -> None:
    assert told in run(line, code=code).stderr
