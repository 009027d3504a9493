from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from softix_proxy.cli.admin_api.described import CommandTable
from softix_proxy.web.admin_api import openapi, problems

COMMANDS = CommandTable().described
DOCUMENT = openapi.document(COMMANDS.values(), "https://portal.example.org")


def calls() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, told in methods.items():
            yield path, method, told


def test_each_command_is_one_call_with_its_permission() -> None:
    told = {one["operationId"]: (path, method, one) for path, method, one in calls()}
    assert set(told) == set(COMMANDS)
    for name, (path, method, one) in told.items():
        command = COMMANDS[name]
        assert path == f"/admin/v1/{name.replace('.', '/')}" and method.upper() == command.method
        permission = command.operation.permission
        assert permission is None or f"`{permission}`" in one["description"]
        assert one["summary"].endswith((".", ":")) or one["summary"], name


@pytest.mark.parametrize("name", ["keys.revoke", "balance.add"])
def test_change_takes_a_key_of_its_own_and_a_version(name: str) -> None:
    told = DOCUMENT["paths"][f"/admin/v1/{name.replace('.', '/')}"]["post"]
    assert {each["name"] for each in told["parameters"]} == {"Idempotency-Key", "If-Match"}


def test_list_takes_pages_once() -> None:
    for name in ("users.list", "audit.list"):
        told = DOCUMENT["paths"][f"/admin/v1/{name.replace('.', '/')}"]["get"]
        names = [each["name"] for each in told["parameters"]]
        assert names.count("limit") == names.count("cursor") == 1
        assert "Link" in told["responses"]["200"]["headers"]


def test_each_status_of_a_problem_is_described() -> None:
    for _, _, told in calls():
        assert {int(status) for status in told["responses"]} == {200, *problems.STATUSES} - {500}
