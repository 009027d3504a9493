from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy import assembly
from softix_proxy.cli.admin_api import runner as module
from softix_proxy.cli.admin_api.runner import CommandRunner
from softix_proxy.domain.core.errors import BadInputError, NotFoundError, NotPermittedError, OverloadedError
from softix_proxy.domain.ports.admin_commands import AdminCall


@pytest.fixture
def token(run: Callable[..., Result]) -> str:
    text: str = json.loads(run("tokens create --role admin --json").stdout)["token"]
    return text


@pytest.fixture
async def runner(instance: Path) -> AsyncIterator[CommandRunner]:
    made = CommandRunner(lambda: assembly.read_settings(None, instance))
    yield made
    await made.close()


async def test_commands_that_run_at_once_are_apart(token: str, runner: CommandRunner) -> None:
    made = await asyncio.gather(
        *(
            runner.run(AdminCall("users.create", {"name": f"u{n}", "email": f"u{n}@example.org"}, token))
            for n in range(8)
        )
    )
    assert sorted(one.value["name"] for one in made) == [f"u{n}" for n in range(8)]
    listed = (await runner.run(AdminCall("users.list", {}, token))).value
    assert len(listed) == 8


@pytest.mark.parametrize(
    ("name", "values", "error"),
    [
        ("users.show", {"user": "nobody"}, NotFoundError),
        ("users.create", {"name": "bob"}, BadInputError),
        ("users.create", {"name": "bob", "email": "b@example.org", "role": "king"}, BadInputError),
    ],
)
async def test_error_of_a_command_is_raised(
    token: str, runner: CommandRunner, name: str, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await runner.run(AdminCall(name, values, token))


async def test_call_that_the_role_does_not_allow_is_refused(run: Callable[..., Result], runner: CommandRunner) -> None:
    token = json.loads((await asyncio.to_thread(run, "tokens create --role auditor --json")).stdout)["token"]
    with pytest.raises(NotPermittedError, match=r"users\.write"):
        await runner.run(AdminCall("users.create", {"name": "x", "email": "x@example.org"}, token))


async def test_too_many_calls_are_told_to_come_back(
    token: str, runner: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    calls = [runner.run(AdminCall("users.list", {}, token)) for _ in range(5)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in done].count(OverloadedError) == 3
    assert (await runner.run(AdminCall("users.list", {}, token))).value == []
