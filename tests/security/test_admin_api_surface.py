"""The admin API keeps to its description, whatever it is asked: no status and no body that is not described, no 5xx.

ADMIN_API_EXAMPLES sets the requests for each call and kind. With 33 there are 10,000 of them.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.admin_api import AdminApi, admin_api
from support.described_answers import require_described
from support.provider import FakeProvider
from support.sources import ROOT
from support.tenants import house

from softix_proxy.cli.admin_api.described import CommandTable
from softix_proxy.web.admin_api import openapi

COMMANDS = CommandTable().described
SCHEMA = schemathesis.openapi.from_dict(openapi.document(COMMANDS.values(), "http://localhost"))
EXAMPLES = int(os.environ.get("ADMIN_API_EXAMPLES", "3"))
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
KEEP_OUT = frozenset(("tokens/revoke", "mail/test", "webhooks/test"))
"""Calls that end the test's own token, or that wait for a server which is not there."""


def test_description_of_the_admin_api_is_current() -> None:
    command = [sys.executable, ROOT / "scripts" / "make_admin_api.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\ninstead of editing: make reference"


class Surface:
    """The API with one of most things, and the names of them."""

    def __init__(self, api: AdminApi, names: dict[str, list[str]]) -> None:
        self.url = api.daemon.url
        self.headers = {"Authorization": f"Bearer {api.token}"}
        self.names = names
        """Parameter → values that mean something."""


@pytest.fixture(scope="module")
def surface(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> Iterator[Surface]:
    ready, over = threading.Event(), threading.Event()
    found: list[Surface] = []

    async def serve() -> None:
        made = await house(tmp_path_factory.mktemp("surface"), shared_provider.base_url)
        async with admin_api(made) as api:
            found.append(Surface(api, await _filled(api)))
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        while not ready.wait(0.1):
            assert thread.is_alive(), "the daemon did not start"
        yield found[0]
    finally:
        over.set()
        thread.join()


async def _filled(api: AdminApi) -> dict[str, list[str]]:
    """Makes things, and returns their names by the parameters that name them."""
    user = (await api.post("users/create", {"name": "lin", "email": "lin@example.org", "postpaid": True})).value
    await api.post("balance/add", {"user": "lin@example.org", "amount": "20.00", "note": "start"})
    key = (await api.post("keys/create", {"user": "lin", "name": "ci"})).value
    account = (await api.post("accounts/create", {"email": "grace@example.org", "organisation": "lin"})).value
    project = (await api.post("projects/create", {"organisation": "lin", "name": "search"})).value
    budget = await api.post(
        "budgets/set", {"organisation": "lin", "amount": "5", "project": "search", "period": "month"}
    )
    await api.post("routes/set", {"name": "best", "targets": ["gpt-test"]})
    endpoint = (await api.post("webhooks/add", {"url": "https://hooks.example.org/softix"})).value
    users = ["lin", user["id"], "lin@example.org", "ada"]
    return {
        "user": users,
        "organisation": users,
        "key": ["ci", key["id"]],
        "account": [str(account.get("id")), "grace@example.org"],
        "project": ["search", project["id"]],
        "budget": [budget.value["id"]],
        "model": ["gpt-test", "claude-test", "best"],
        "name": ["best", "lin", "lab", "openai"],
        "endpoint": [endpoint["id"]],
        "period": ["2026-10", "month"],
        "amount": ["1.00", "-1.00", "0"],
        "from": ["2026-10-01", "2026-11-30T08:00:00Z"],
        "to": ["2026-12-31"],
        "role": ["auditor", "billing", "viewer"],
        "email": ["zoe@example.org"],
        "note": ["a note"],
    }


@pytest.fixture(scope="module")
def connection() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", sorted({command.path for command in COMMANDS.values()} - KEEP_OUT))
def test_call_given_any_parameters_answers_as_described(
    path: str, mode: GenerationMode, surface: Surface, connection: requests.Session
) -> None:
    """In half of the right requests, the parameters name things that are there."""
    method = COMMANDS[path.replace("/", ".")].method

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(SCHEMA[f"/admin/v1/{path}"][method].as_strategy(generation_mode=mode), st.randoms(use_true_random=False))
    def ask(case: schemathesis.Case, dice: random.Random) -> None:
        if mode is GenerationMode.POSITIVE and dice.random() < 0.5:
            for place in (case.query, case.body):
                if isinstance(place, dict):
                    _name_things(place, surface.names, dice)
        answer = case.call(base_url=surface.url, session=connection, headers=surface.headers, timeout=60)
        assert answer.status_code < 500 or answer.status_code == 503, (answer.text, path, case.query, case.body)
        if answer.status_code == 200 and answer.headers["content-type"][0] == "application/json":
            require_described(("--json", *path.split("/")), answer.text)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failed:
            raise AssertionError("\n".join(f"{one.title}: {one.message}" for one in failed.exceptions)) from None

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE


def _name_things(values: dict[str, Any], names: dict[str, list[str]], dice: random.Random) -> None:
    for name in values:
        if name in names and isinstance(values[name], str):
            values[name] = dice.choice(names[name])
