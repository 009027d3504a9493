from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result, _NamedTextIOWrapper
from support.books import make_intent, make_settlement, post

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture
def busy(database: Database, run: Softix) -> Database:
    """Two requests of bob that end now: one for $0.25, and one that failed. Those of ada are as old as the session."""
    run("users create bob --email bob@example.org")
    run("keys create --user bob")
    run("balance add bob@example.org 3.00 --note test")
    failed = {"error": "provider_overloaded", "status_code": 503, "charge_pico": 0, "meters": {}}
    intents = [make_intent(number, 0, user=2) for number in (11, 12)]
    connection = database.connect()
    settlements = [make_settlement(intents[0]), make_settlement(intents[1], **failed)]
    post(connection, settlements, SystemClock().now_us())
    connection.close()
    return database


def test_top_once_in_a_pipe_prints_one_line(busy: Database, run: Softix) -> None:
    [line] = run("top --once --user bob").stdout.splitlines()
    assert line[20:] == ("  requests 2  errors 1  tokens 3→4  charge $0.25  open 0  held $0.00  limits 1  breakers 0")


def test_top_with_json_prints_an_object_a_line(busy: Database, run: Softix) -> None:
    lines = run("top --json --count 2 --interval 0.1 --errors --user bob").stdout.splitlines()
    shown = [json.loads(line) for line in lines]
    assert [each["last_minute"]["requests"] for each in shown] == [1, 1]
    assert shown[0]["filter"] == {"user": "bob", "key": None, "model": None, "errors_only": True}


def test_top_once_on_a_terminal_shows_all_lists_and_no_keys(
    busy: Database, run: Softix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    shown = run("top --once --user bob").stdout
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
