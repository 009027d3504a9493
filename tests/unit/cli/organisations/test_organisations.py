from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture
def acme(read: Read) -> None:
    """An organisation of one owner."""
    read("users create acme --email acme@example.org")
    read("accounts create --organisation acme ada@example.org")


def test_organisations_list_and_show_return_every_user(read: Read) -> None:
    made = read("users create ada --email ada@example.org")
    [listed] = read("organisations list")
    assert listed == read("organisations show ada") == read(f"organisations show {made['id']}")
    assert list(listed) == ["id", "name", "status", "members", "owners", "created_at"]
    assert (listed["members"], listed["owners"]) == (0, 0) and read("organisations members ada") == []


def test_organisations_invite_and_cancel_list_what_is_open(run: Softix, read: Read, acme: None) -> None:
    invited = read("organisations invite acme grace@example.org --role admin")
    assert list(invited) == ["id", "email", "role", "created_at", "expires_at"]
    assert read("organisations invitations acme") == [invited]
    assert read(f"organisations cancel-invitation acme {invited['id']}") == invited
    assert read("organisations invitations acme") == []
    run(f"organisations cancel-invitation acme {invited['id']}", code=1)
    run("organisations invite acme 'a@example.org,evil'", code=2)


def test_remedy_of_an_unknown_invitation_lists_those_that_are_open(run: Softix, read: Read, acme: None) -> None:
    invited = read("organisations invite acme grace@example.org")
    refused = run("organisations cancel-invitation acme inv_0123456789abcdef", code=1).stderr
    assert "inv_0123456789abcdef" in refused
    assert read(remedy_in(refused, "see: softix ")) == [invited]


def test_organisations_invite_without_an_address_of_the_portal_says_so(run: Softix, instance: Path, acme: None) -> None:
    assert "portal.public_url is not set" in run("organisations invite acme grace@example.org").stderr
    (instance / "config.toml").write_text('[portal]\npublic_url = "https://portal.example.org"\n')
    assert "public_url" not in run("organisations invite acme grace@example.org").stderr


def test_organisations_invite_where_nobody_registers_names_the_command_that_makes_the_account(
    run: Softix, read: Read, instance: Path, acme: None
) -> None:
    told = run("organisations invite acme grace@example.org --role billing").stderr
    assert "nobody can register here" in told
    run(remedy_in(told, "run: softix "))
    roles = {each["email"]: each["role"] for each in read("organisations members acme")}
    assert roles["grace@example.org"] == "billing"
    read("accounts create hopper@example.org")
    assert "nobody can register" not in run("organisations invite acme hopper@example.org").stderr
    (instance / "config.toml").write_text('[portal]\nregistration = "invitation"\n')
    assert "nobody can register" not in run("organisations invite acme new@example.org").stderr


def remedy_in(told: str, before: str) -> str:
    """The command that a message names, without the name of the program."""
    return told.partition(before)[2].splitlines()[0].rstrip(".")


def test_organisations_set_role_and_remove_change_members(run: Softix, read: Read, acme: None) -> None:
    read("accounts create --organisation acme --organisation-role member grace@example.org")
    assert read("organisations set-role acme grace@example.org billing")["role"] == "billing"
    assert {each["email"]: each["role"] for each in read("organisations members acme")} == {
        "ada@example.org": "owner",
        "grace@example.org": "billing",
    }
    assert "at least one owner" in run("organisations set-role acme ada@example.org viewer", code=1).stderr
    assert "Add --yes" in run("organisations remove acme grace@example.org", code=2).stderr
    removed = read("organisations remove acme grace@example.org --yes")
    assert removed["revoked_keys"] == removed["handed_over_keys"] == 0
    assert "no such member" in run("organisations remove acme grace@example.org --yes", code=1).stderr
