from __future__ import annotations

import inspect

import click
import jsonschema_rs
import pytest

from softix_proxy.cli.admin_api.described import CommandTable, answer_schemas
from softix_proxy.cli.admin_api.offered import AS_FILE, FILES, FIXED, NOT_OFFERED, commands
from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.core.errors import BadInputError

TABLE = CommandTable()
ALL = {name: command for name, command, _ in commands()}


def test_each_command_is_offered_or_has_a_reason_why_not() -> None:
    assert set(ALL) - set(TABLE.found) == set(NOT_OFFERED)
    assert set(TABLE.found) <= set(OPERATIONS)
    assert {*FILES, *FIXED, *AS_FILE} <= set(TABLE.found)
    assert all(reason.endswith(".") for reason in NOT_OFFERED.values())


def test_offered_command_has_an_async_function_that_takes_an_instance() -> None:
    for name, found in TABLE.found.items():
        assert inspect.iscoroutinefunction(found.function), name
        assert next(iter(inspect.signature(found.function).parameters)) == "instance", name


@pytest.mark.parametrize("name", sorted(TABLE.found))
def test_parameters_of_a_command_are_those_of_the_call(name: str) -> None:
    """Every parameter that is no file, no source of a secret and no question has one of its name."""
    told = TABLE.described[name]
    names = [each.name for each in told.parameters]
    assert len(names) == len(set(names))
    for param in TABLE.found[name].command.params:
        if isinstance(param, click.Option) and "--limit" in param.opts:
            assert "limit" in names
    for each in told.parameters:
        jsonschema_rs.validator_for(each.schema)
        assert each.schema["type"] in ("string", "boolean", "integer", "number", "array")
    written = {"out", "force", "yes", "resume", "config", "data_dir", "as", "json"}
    assert not written & set(names), "a caller names no file of the machine, and is not asked"


@pytest.mark.parametrize("name", sorted(set(TABLE.found) - set(AS_FILE)))
def test_answer_of_a_command_is_described(name: str) -> None:
    assert name in answer_schemas(), "run the tests of commands as scripts/make_answers.py says"
    jsonschema_rs.validator_for(answer_schemas()[name])


def test_only_what_changes_and_has_a_command_that_shows_it_is_bound_to_a_version() -> None:
    assert TABLE.shown_by("keys.revoke") == "keys.show"
    assert TABLE.shown_by("projects.rename") == "projects.show"
    for name in ("keys.create", "budgets.set", "projects.create", "bill.run"):
        with pytest.raises(BadInputError, match="changes nothing that has a version"):
            TABLE.shown_by(name)
