import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy import assembly

Softix = Callable[..., Result]
Read = Callable[[str], Any]
URL = "https://portal.example.org"


@pytest.fixture
def published(instance: Path) -> None:
    (instance / "config.toml").write_text(f'[portal]\npublic_url = "{URL}/"\n')


def test_accounts_create_prints_the_link_that_show_and_list_do_not(published: None, run: Softix, read: Read) -> None:
    made = read("accounts create --role admin Ada@example.org --name 'Ada Lovelace'")
    assert list(made) == [
        "id",
        "email",
        "display_name",
        "role",
        "status",
        "organisations",
        "verified_at",
        "created_at",
        "link",
    ]
    assert (made["email"], made["role"], made["verified_at"]) == ("Ada@example.org", "admin", None)
    assert made.pop("link").startswith(f"{URL}/reset?token=")
    for reference in (made["id"], "ADA@example.org"):
        assert read(f"accounts show {reference}") == made
    assert read("accounts list") == [made]
    assert run("accounts list").stdout.splitlines()[1].split("\t")[1] == "Ada@example.org"


def test_accounts_create_without_a_public_url_says_which_setting_is_missing_and_what_to_do_then(
    run: Softix, read: Read
) -> None:
    done = run("accounts create ada@example.org")
    assert "portal.public_url is not set" in done.stderr
    assert "softix accounts reset-link ada@example.org" in done.stderr
    assert read("accounts reset-link ada@example.org")["link"] is None
    assert read("accounts show ada@example.org")["status"] == "active"


def test_accounts_create_connects_a_person_with_an_existing_user(published: None, read: Read) -> None:
    ada = read("users create ada --email ada@example.org")
    made = read("accounts create --organisation ada --organisation-role billing ada@example.org")
    assert made["organisations"] == [{"id": ada["id"], "role": "billing"}]
    assert read("users list") == [ada]


def test_accounts_connect_makes_a_person_a_member_of_an_existing_user(run: Softix, read: Read) -> None:
    ada = read("users create ada --email ada@example.org")
    read("accounts create eve@example.org")
    connected = read("accounts connect eve@example.org ada --role viewer")
    assert connected["organisations"] == [{"id": ada["id"], "role": "viewer"}]
    assert "a member of this organisation already" in run("accounts connect eve@example.org ada", code=1).stderr


def test_accounts_role_status_and_sessions_are_changed(published: None, run: Softix, read: Read) -> None:
    read("accounts create ada@example.org")
    assert read("accounts set-role ada@example.org auditor")["role"] == "auditor"
    assert read("accounts disable ada@example.org")["status"] == "disabled"
    assert "softix accounts enable" in run("accounts reset-link ada@example.org", code=1).stderr
    assert read("accounts enable ada@example.org")["status"] == "active"
    first = read("accounts reset-link ada@example.org")["link"]
    assert first.startswith(f"{URL}/reset?token=") and first != read("accounts reset-link ada@example.org")["link"]
    assert "Add --yes" in run("accounts sign-out ada@example.org", code=2).stderr
    assert read("accounts sign-out ada@example.org --yes")["ended"] == 0
    assert read("accounts sign-out --all --yes") == {"ended": 0}
    for line in ("", "ada@example.org --all --yes"):
        assert "Name an account, or give --all." in run(f"accounts sign-out {line}", code=2).stderr


def verify(instance: Path, email: str) -> None:
    """As if the person had opened the link, and could sign in now."""

    async def run() -> None:
        async with (
            assembly.open_instance(assembly.read_settings(None, instance)) as opened,
            opened.storage.writing() as unit,
        ):
            account = await unit.accounts.by_email(email)
            assert account is not None
            await unit.accounts.update(replace(account, verified_at_us=1))

    asyncio.run(run())


def test_accounts_commands_leave_one_admin_who_can_sign_in(instance: Path, run: Softix, read: Read) -> None:
    read("accounts create --role admin ada@example.org")
    verify(instance, "ada@example.org")
    for line in ("set-role ada@example.org user", "disable ada@example.org"):
        refused = run(f"accounts {line}", code=1).stderr
        assert "this is the last admin who can sign in" in refused and "softix accounts set-role" in refused
    read("accounts create bob@example.org")
    verify(instance, "bob@example.org")
    read("accounts set-role bob@example.org admin")
    assert read("accounts disable ada@example.org")["status"] == "disabled"


def test_accounts_disable_prints_the_keys_that_still_work_and_the_commands_that_revoke_them(
    run: Softix, read: Read
) -> None:
    """Ada is the only one in her organisation, so nobody could revoke its keys any more."""
    help_text = " ".join(run("accounts disable --help").stdout.split())
    assert "Its API keys go on working. It prints the keys that still work" in help_text
    user = read("users create ada --email ada@example.org")
    made = [read(f"keys create --user ada --name {name}") for name in ("ci", "bot", "old")]
    read("keys revoke old --yes")
    read("accounts create --organisation ada ada@example.org")
    said = run("accounts disable ada@example.org").stderr
    assert "No API key is revoked by this." in said and "old" not in said
    for key in made[:2]:
        assert f"of {user['id']} still works" in said
        assert read(f"keys show {key['id']}")["status"] == "active"
    found = read("accounts disable ada@example.org")["working_keys"]
    assert [(each["id"], each["organisation"]) for each in found] == [(key["id"], user["id"]) for key in made[:2]]
    commands = [line.partition("run: softix ")[2] for line in said.splitlines() if "run: softix " in line]
    assert [f"softix {command}" for command in commands] == [each["revoke"] for each in found]
    for command in commands:
        run(command)
    assert {key["status"] for key in read("keys list")} == {"revoked"}
    assert read("accounts disable ada@example.org")["working_keys"] == []
    assert "No key that works is left behind." in run("accounts disable ada@example.org").stderr


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("show eve@example.org", 1, "softix accounts list"),
        ("create ada@example.org", 1, "softix accounts reset-link"),
        ("create 'ada@example.org,evil'", 2, "not a usable e-mail"),
        ("create x@example.org --role king", 2, "softix roles list"),
        ("create x@example.org --organisation nobody", 1, "softix users list"),
        ("create x@example.org --organisation-role king", 2, "--organisation-role"),
        ("set-role ada@example.org king", 2, "softix roles list"),
        ("sign-out eve@example.org --yes", 1, "softix accounts list"),
    ],
)
def test_accounts_command_that_cannot_be_done_says_why(run: Softix, line: str, code: int, said: str) -> None:
    run("accounts create ada@example.org")
    assert said in run(f"accounts {line}", code=code).stderr


def test_accounts_link_is_in_no_list_of_messages(published: None, run: Softix) -> None:
    made = json.loads(run("accounts create ada@example.org --json").stdout)
    token = made["link"].partition("token=")[2]
    assert token and token not in run("accounts list --json").stdout


def test_users_set_password_says_that_nobody_signs_in_by_it(run: Softix) -> None:
    run("users create ada --email ada@example.org")
    done = run("users set-password ada --password-stdin", stdin="a long enough password\n")
    assert "softix accounts create --organisation usr_" in done.stderr
