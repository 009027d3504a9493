import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def ada(run: Softix) -> None:
    run("users create ada --email ada@example.org")


def test_keys_create_shows_the_key_that_no_later_command_shows(run: Softix, read: Read) -> None:
    made = read(
        "keys create --user ada@example.org --name ci --models 'gpt-*, claude-*' --rpm 60 --tpm 1000 --concurrency 3"
        " --cap 5 --cap-period month --expires 30d --allow-ip 10.0.0.0/8 --allow-ip ::1"
    )
    text = made.pop("key")
    assert re.fullmatch(r"sx_live_[0-9A-Za-z]{33}", text) and text.startswith(made["prefix"])
    assert (made["models"], made["allow_ip"]) == (["gpt-*", "claude-*"], ["10.0.0.0/8", "::1/128"])
    assert (made["rpm"], made["tpm"], made["concurrency"]) == (60, 1000, 3)
    assert (made["cap"], made["cap_period"]) == ("5.00", "month")
    for reference in (made["id"], made["prefix"], "ci"):
        shown = read(f"keys show {reference}")
        assert {name: shown[name] for name in made} == made and text not in str(shown)
    assert shown["spent"] == made["spent"] == {"day": "0.00", "week": "0.00", "month": "0.00", "total": "0.00"}
    assert [key["id"] for key in read("keys list --user ada")] == [made["id"]]
    assert read("keys list")[0]["user"] == "ada" and text not in run("keys list").stdout


def test_keys_update_with_none_removes_a_limit_and_keeps_the_other_fields(read: Read) -> None:
    before = read("keys create --user ada --name ci --models gpt-4 --rpm 60 --cap 5 --expires 1d --allow-ip 10.0.0.0/8")
    same = read("keys update ci")
    assert {name: same[name] for name in before if name != "key"} == {n: v for n, v in before.items() if n != "key"}
    bare = read("keys update ci --models none --rpm none --cap none --expires none --allow-ip none")
    assert (bare["models"], bare["allow_ip"], bare["rpm"], bare["cap"], bare["cap_period"], bare["expires_at"]) == (
        [],
        [],
        None,
        None,
        None,
        None,
    )
    again = read("keys update ci --name other --tpm 5 --cap 0 --cap-period day")
    assert (again["name"], again["tpm"], again["cap"], again["cap_period"]) == ("other", 5, "0.00", "day")


def test_keys_with_a_rule_for_unknown_members_keep_it_until_it_is_removed(read: Read) -> None:
    assert read("keys create --user ada --name ci --unknown-members refuse")["unknown_members"] == "refuse"
    assert read("keys update ci --rpm 5")["unknown_members"] == "refuse"
    assert read("keys rotate ci")["unknown_members"] == "refuse"
    assert read("keys update ci --unknown-members strip")["unknown_members"] == "strip"
    assert read("keys update ci --unknown-members none")["unknown_members"] is None
    assert read("keys create --user ada --name free --unknown-members none")["unknown_members"] is None


@pytest.mark.parametrize("models", ["''", "','", "' '"])
@pytest.mark.parametrize("verb", ["update ci", "create --user ada"])
def test_keys_command_with_empty_models_is_refused(run: Softix, read: Read, verb: str, models: str) -> None:
    read("keys create --user ada --name ci --models gpt-4")
    assert "--models is empty" in run(f"keys {verb} --models {models}", code=2).stderr
    assert read("keys show ci")["models"] == ["gpt-4"]


def test_keys_revoke_without_yes_is_refused(run: Softix, read: Read) -> None:
    read("keys create --user ada --name ci")
    assert "Add --yes" in run("keys revoke ci", code=2).stderr
    assert read("keys show ci")["status"] == "active"
    assert read("keys revoke ci --yes")["status"] == "revoked"


def test_keys_rotate_returns_a_new_key_and_ends_the_old_one(run: Softix, read: Read) -> None:
    old = read("keys create --user ada --name ci --rpm 5")
    new = read(f"keys rotate {old['id']}")
    assert new["key"] != old["key"] and (new["name"], new["rpm"]) == ("ci", 5)
    assert read(f"keys show {old['id']}")["status"] == "revoked"
    assert "cannot be rotated" in run(f"keys rotate {old['id']}", code=1).stderr
    newer = read(f"keys rotate {new['id']} --grace 24h")
    ending = read(f"keys show {new['id']}")
    assert ending["status"] == "active" and ending["expires_at"] is not None and newer["expires_at"] is None


def test_keys_create_for_a_disabled_user_issues_the_key_and_warns(run: Softix, read: Read) -> None:
    run("users disable ada")
    user_id = read("users show ada")["id"]
    assert f"no key works before: softix users enable {user_id}" in run("keys create --user ada").stderr
    assert read("keys create --user ada")["status"] == "active"
    run("users enable ada")
    assert "disabled" not in run("keys create --user ada").stderr


def test_keys_rotate_with_zero_grace_reports_the_old_key_as_revoked(run: Softix) -> None:
    run("keys create --user ada --name ci")
    assert "The old key is revoked." in run("keys rotate ci --grace 0s").stderr


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("create --user eve", 1, "no user"),
        ("create", 2, "--user"),
        ("create --user ada --rpm x", 2, "not a number for --rpm"),
        ("create --user ada --rpm 0", 2, "rpm is a number from 1"),
        ("create --user ada --cap -1", 2, "not negative"),
        ("create --user ada --cap 1e3", 2, "not an amount"),
        ("create --user ada --cap-period year", 2, "--cap-period"),
        ("create --user ada --expires soon", 2, "not a duration"),
        ("create --user ada --expires 0d", 2, "of no use"),
        ("create --user ada --expires=d", 2, "not a duration"),
        ("create --user ada --cap-period month", 2, "without --cap"),
        ("create --user ada --expires 999999w", 2, "not a duration"),
        ("create --user ada --allow-ip 10.0.0.0/99", 2, "not a network"),
        ("create --user ada --models 'a b'", 2, "not a pattern"),
        ("show none", 1, "no key"),
        ("revoke none --yes", 1, "no key"),
    ],
)
def test_keys_command_with_bad_input_exits_with_the_reason(run: Softix, line: str, code: int, said: str) -> None:
    assert said in run(f"keys {line}", code=code).stderr
