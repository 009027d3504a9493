"""Checks what commands print with `--json` against the description that the admin API gives of it.

With ANSWERS_LOG in the environment it writes down what it sees instead, for scripts/make_answers.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
import jsonschema_rs

from softix_proxy.cli.admin_api.described import answer_schemas
from softix_proxy.cli.admin_api.offered import AS_FILE, NOT_OFFERED
from softix_proxy.cli.main import main

_WITH_VALUE = ("--config", "--data-dir", "--as")
"""The options before a command that have a value."""


def operation_of(words: Sequence[str]) -> str:
    """Returns the name of the command that the words begin with, `keys.revoke`, or an empty text."""
    group: click.Command = main
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, "")
        elif isinstance(group, click.Group) and not word.startswith("-"):
            found = group.get_command(click.Context(group), word)
            if found is None:
                return ""
            group = found
            names.append(word)
    return "" if isinstance(group, click.Group) else ".".join(names)


@cache
def _validator(operation: str) -> Any:
    return jsonschema_rs.validator_for(answer_schemas()[operation])


def require_described(words: Sequence[str], output: str) -> None:
    """Raises AssertionError if the command's JSON is not as described. Output of other commands is not looked at."""
    operation = operation_of(words) if "--json" in words else ""
    if not operation or operation in NOT_OFFERED or operation in AS_FILE or not output:
        return
    values = [json.loads(line) for line in output.splitlines()]
    require_answer(operation, values[0] if len(values) == 1 else values)


def require_answer(operation: str, value: Any) -> None:
    """Raises AssertionError if this is no answer of the operation, as it is described."""
    if place := os.environ.get("ANSWERS_LOG"):
        with Path(place).open("a", encoding="utf-8") as log:
            log.write(json.dumps([operation, value]) + "\n")
        return
    problems = [
        f"{operation}: {'/'.join(map(str, each.instance_path))}: {each.message}"
        for each in _validator(operation).iter_errors(value)
    ]
    assert not problems, "\n".join([*problems[:5], "then: scripts/make_answers.py"])
