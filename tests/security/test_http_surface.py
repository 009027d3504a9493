"""The description of the HTTP surface is that of the routes, and the real daemon keeps to it whatever it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.daemon import Prepared
from support.sources import ROOT

from softix_proxy.web.route_table import ROUTES
from softix_proxy.web.router.route import ANY

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text("utf-8"))
OPERATIONS = [
    (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if (path, method) != ("/v1/realtime", "get")
]
EXAMPLES = 5
"""Requests for each operation, and as many that are not as described."""
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


def test_description_of_the_surface_is_current() -> None:
    command = [sys.executable, ROOT / "scripts" / "make_openapi.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\ninstead of editing: make reference"


def test_description_has_every_route() -> None:
    described = sum(map(len, DOCUMENT["paths"].values()))
    assert described == sum(route.method != ANY and "{rest" not in route.pattern for route in ROUTES)
    names = [told["operationId"] for methods in DOCUMENT["paths"].values() for told in methods.values()]
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def connection() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_operation_given_any_request_answers_as_described(
    path: str, method: str, mode: GenerationMode, attacker: Prepared, connection: requests.Session
) -> None:
    """No status that is not described, no 500, and a body of the described shape. Half of the requests are wrong."""

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(base_url=attacker.url, session=connection, headers=attacker.headers, timeout=20)
        assert answer.status_code != 500, answer.text
        case.validate_response(answer, checks=CHECKS)

    try:
        ask()
    except FailureGroup as found:
        pytest.fail("\n".join(str(each) for each in found.exceptions))
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "no request is valid"  # there is nothing to get wrong in it
