from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from softix_proxy.cli.main import main
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OPERATOR_ROLES, OrganisationRole

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_roles_list_has_those_of_operators_and_of_members(read: Read) -> None:
    listed = read("roles list")
    assert [row["role"] for row in listed if row["scope"] == "instance"] == list(OPERATOR_ROLES)
    assert {row["role"] for row in listed if row["scope"] == "organisation"} == {*OrganisationRole}
    assert {row["defined_by"] for row in listed} == {"softix"}


def test_roles_show_has_permissions_and_the_operations_that_they_open(read: Read) -> None:
    shown = read("roles show support")
    assert shown["permissions"] == sorted(OPERATOR_ROLES["support"])
    assert "keys.revoke" in shown["operations"] and "keys.create" not in shown["operations"]
    assert read("roles show admin --in-organisation")["scope"] == "organisation"


def test_roles_show_of_a_role_that_does_not_exist_is_refused(run: Softix) -> None:
    assert "no role 'king'" in run("roles show king", code=1).output


def test_permissions_name_the_operations_of_each(read: Read) -> None:
    rows = {row["permission"]: row["operations"] for row in read("roles permissions")}
    assert set(rows) == {*Permission} and rows["mail.retry"] == ["mail.retry"]


def test_role_of_the_configuration_is_listed_and_can_be_given(run: Softix, read: Read, tmp_path: Path) -> None:
    place = tmp_path / "roles.toml"
    place.write_text('[roles]\nown = ["helpdesk=users.read keys.revoke"]\n')
    [own] = [row for row in read(f"roles list --config {place}") if row["defined_by"] == "configuration"]
    assert (own["role"], own["permissions"]) == ("helpdesk", ["keys.revoke", "users.read"])
    run("accounts create ada@example.org")
    assert read(f"accounts set-role ada@example.org helpdesk --config {place}")["role"] == "helpdesk"


@pytest.mark.parametrize("path", ["accounts create", "accounts set-role", "tokens create", "roles show"])
def test_role_is_completed_wherever_one_is_named(path: str) -> None:
    group, name = path.split()
    command = main.get_command(click.Context(main), group)
    assert isinstance(command, click.Group)
    context = click.Context(command)
    inner = command.get_command(context, name)
    assert inner is not None
    [role] = [param for param in inner.params if param.name == "role"]
    found = role.shell_complete(click.Context(inner), "a")
    assert [item.value for item in found] == ["auditor", "admin"]
