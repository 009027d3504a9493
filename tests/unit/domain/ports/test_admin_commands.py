from __future__ import annotations

import pytest

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.ports.admin_commands import AdminCommand, AdminParameter, Json

FILE = AdminParameter("head", {"type": "string"}, "", False, is_file=True)
TEXT = AdminParameter("user", {"type": "string"}, "", True)


def command(name: str, *parameters: AdminParameter, answer: Json | None = None) -> AdminCommand:
    return AdminCommand(OPERATIONS[name], "", parameters, answer, has_version=False, is_versioned=False)


@pytest.mark.parametrize(
    ("name", "parameters", "method"),
    [("keys.list", (TEXT,), "GET"), ("keys.revoke", (TEXT,), "POST"), ("audit.verify", (FILE,), "POST")],
)
def test_command_is_a_get_if_it_only_reads_and_takes_no_file(
    name: str, parameters: tuple[AdminParameter, ...], method: str
) -> None:
    found = command(name, *parameters)
    assert (found.method, found.path, found.name) == (method, name.replace(".", "/"), name)


def test_command_is_a_list_if_its_answer_is_one() -> None:
    assert command("keys.list", answer={"type": "array"}).is_list
    assert not command("keys.show", answer={"type": "object"}).is_list
    assert not command("audit.export", answer=None).is_list
