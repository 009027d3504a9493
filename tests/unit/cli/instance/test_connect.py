from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, run: Softix, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    run("users create ada --email ada@example.org")
    return home


def test_connect_without_write_prints_the_settings_of_the_tool(run: Softix, read: Read) -> None:
    shown = run("connect claude-code")
    assert json.loads(shown.stdout)["env"]["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8484"
    assert "In ~/.claude/settings.json:" in shown.stderr
    told = read("connect codex --model gpt-5 --base-url https://ai.example.org/v1/")
    assert told["settings"]["model_providers"]["softix"]["base_url"] == "https://ai.example.org/v1"
    assert tomllib.loads(told["text"]) == told["settings"]
    assert "Cursor's servers make the requests" in run("connect cursor --print").stderr


def test_connect_with_write_and_user_creates_a_key_and_undo_removes_the_file(
    home: Path, run: Softix, read: Read
) -> None:
    told = read("connect codex --write --user ada --model gpt-5")
    file = home / ".codex" / "config.toml"
    assert told["file"] == str(file)
    written = tomllib.loads(file.read_text())
    [key] = read("keys list --user ada")
    assert key["name"] == "codex"
    assert written["model_providers"]["softix"]["experimental_bearer_token"].startswith(key["prefix"])
    assert "is as it was" in run("connect codex --undo").stderr
    assert not file.exists()


def test_connect_with_write_and_key_stdin_writes_the_given_key(home: Path, run: Softix) -> None:
    run("connect claude-code --write --key-stdin", stdin="sx_live_given\n")
    written = json.loads((home / ".claude" / "settings.json").read_text())
    assert written["env"]["ANTHROPIC_AUTH_TOKEN"] == "sx_live_given"


def test_connect_with_bad_input_creates_no_key(home: Path, run: Softix, read: Read) -> None:
    assert "which key?" in run("connect codex --write", code=2).stderr
    assert "a new key and a given one" in run("connect codex --write --user ada --key-stdin", 2, "k\n").stderr
    assert "Continue needs a model" in run("connect continue", code=2).stderr
    assert "has no file" in run("connect cursor --write --user ada", code=2).stderr
    assert "nothing was written" in run("connect codex --undo", code=1).stderr
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text("[]")
    assert "not a JSON object" in run("connect claude-code --write --user ada", code=1).stderr
    assert read("keys list --user ada") == []


def test_connect_codex_with_a_model_without_search_price_disables_web_search(run: Softix, read: Read) -> None:
    """Codex offers them with each request, which would be refused."""
    run("providers add lab --type openai-compatible --base-url http://lab.example")
    run("models add plain --provider lab --input 2.00 --output 8.00")
    run("models add searching --provider lab --input 2.00 --output 8.00 --web-search 10")
    told = {name: read(f"connect codex --model {name}")["settings"] for name in ("plain", "searching", "unknown")}
    assert {name: settings.get("web_search") for name, settings in told.items()} == {
        "plain": "disabled",
        "searching": None,
        "unknown": None,
    }
