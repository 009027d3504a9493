from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_projects_create_show_rename_and_archive_return_the_project(run: Softix, read: Read) -> None:
    read("users create acme --email acme@example.org")
    made = read("projects create acme 'Support bot'")
    assert list(made) == ["id", "name", "keys", "created_at", "archived_at"] and made["keys"] == []
    assert read("projects list acme") == [made] and read("projects show acme 'support bot'") == made
    assert "already" in run("projects create acme 'SUPPORT bot'", code=1).stderr
    assert read("projects rename acme 'Support bot' Desk")["name"] == "Desk"
    assert "Add --yes" in run("projects archive acme Desk", code=2).stderr
    assert read("projects archive acme Desk --yes")["archived_at"] is not None
    assert "see: softix projects list" in run("projects show acme Desk", code=1).stderr


def test_projects_assign_moves_a_key(run: Softix, read: Read) -> None:
    read("users create acme --email acme@example.org")
    bot, key = read("projects create acme bot"), read("keys create --user acme --name ci")
    owned = read("projects assign acme ci --project bot")
    assert owned == {"key": key["id"], "name": "ci", "project": bot["id"], "member": None}
    assert read("projects show acme bot")["keys"] == [key["id"]]
    assert "has keys" in run("projects archive acme bot --yes", code=1).stderr
    assert read("projects assign acme ci --project none")["project"] is None
    assert read("projects show acme bot")["keys"] == []
