from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_token_is_shown_once_and_listed_without_its_text(run: Softix, read: Read) -> None:
    made = read("tokens create --role auditor --name watch --expires 30d")
    assert (made["role"], made["name"], made["status"]) == ("auditor", "watch", "active")
    [listed] = read("tokens list")
    assert "token" not in listed and {**made, "token": None} == {**listed, "token": None}
    assert made["token"] not in run("tokens show " + made["id"]).output
    assert "never expires" in run("tokens create --role auditor").stderr


def test_command_by_a_token_does_what_its_role_allows_and_no_more(
    run: Softix, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("users create ada --email ada@example.org")
    made = read("tokens create --role auditor")
    monkeypatch.setenv("SOFTIX_TOKEN", made["token"])
    assert [user["name"] for user in read("users list")] == ["ada"]
    refused = run("users disable ada", code=1).output
    assert "users.disable needs the permission users.write" in refused and "softix roles list" in refused
    entry = read("audit list --limit 1")[0]
    assert (entry["actor_kind"], entry["actor"], entry["outcome"]) == ("token", made["id"], "refused")
    assert "no admin token" not in refused and made["token"] not in refused


def test_token_of_an_admin_changes_things_and_gives_no_more_than_it_has(
    run: Softix, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = read("tokens create --role admin")
    monkeypatch.setenv("SOFTIX_TOKEN", made["token"])
    run("users create ada --email ada@example.org")
    assert read("audit list --limit 1")[0]["actor"] == made["id"]
    assert read("tokens create --role support")["role"] == "support"
    for line in ("tokens create --role owner-operator", "accounts create --role owner-operator eve@example.org"):
        assert "permissions that you have not: instance.write" in run(line, code=1).output
    assert "secrets.rotate needs the permission instance.write" in run("secrets rotate --yes", code=1).output


def test_option_as_acts_by_the_token_and_warns_that_others_can_read_it(run: Softix, read: Read) -> None:
    made = read("tokens create --role support")
    said = run(f"--as {made['token']} users list")
    assert "can read the token of --as" in said.stderr and "SOFTIX_TOKEN" in said.stderr
    assert "needs the permission" in run(f"users create ada --email a@example.org --as {made['token']}", code=1).output


@pytest.mark.parametrize("text", ["sx_admin_none", "sx_live_none", "hello"])
def test_what_is_no_token_is_refused(run: Softix, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOFTIX_TOKEN", text)
    assert "no admin token of this instance" in run("users list", code=1).output


def test_empty_variable_gives_no_permission_at_all(run: Softix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTIX_TOKEN", "")
    assert "SOFTIX_TOKEN is empty" in run("users list", code=2).output


def test_revoked_token_is_refused(run: Softix, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    made = read("tokens create --role auditor")
    assert "--yes" in run(f"tokens revoke {made['id']}", code=2).output
    assert read(f"tokens revoke {made['prefix']} --yes")["status"] == "revoked"
    monkeypatch.setenv("SOFTIX_TOKEN", made["token"])
    assert "was revoked" in run("users list", code=1).output


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("create", 2, "--role"),
        ("create --role king", 2, "no role 'king'"),
        ("create --role admin --expires 0d", 2, "expired already"),
        ("show tok_none", 1, "softix tokens list"),
    ],
)
def test_tokens_command_that_cannot_be_done_says_why(run: Softix, line: str, code: int, said: str) -> None:
    assert said in run(f"tokens {line}", code=code).output
