from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from softix_proxy.cli.metering.usage_filters import filter_options, subject_options


def given(*words: str, all_of_them: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {}

    @click.command()
    @(filter_options if all_of_them else subject_options)
    def command(**values: Any) -> None:
        found.update(values)

    result = CliRunner().invoke(command, [*words])
    assert result.exit_code == 0, result.output
    return found


def test_options_that_are_not_given_select_everything() -> None:
    assert given() == {"user": None, "key": None, "model": None, "errors_only": False, "statuses": (), "tags": ()}
    assert given(all_of_them=False) == {"user": None, "key": None, "model": None, "errors_only": False}


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("--user", "ada"), "user", "ada"),
        (("--key", "ci"), "key", "ci"),
        (("--model", "lab/llama"), "model", "lab/llama"),
        (("--errors",), "errors_only", True),
        (("--status", "429", "--status", "5xx"), "statuses", ("429", "5xx")),
        (("--tag", "team=search"), "tags", ("team=search",)),
    ],
)
def test_option_gives_its_value(words: tuple[str, ...], name: str, value: object) -> None:
    assert given(*words)[name] == value
