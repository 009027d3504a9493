from __future__ import annotations

from io import StringIO

import click

from softix_proxy.cli.console import console
from softix_proxy.cli.console.captured import Captured
from softix_proxy.cli.console.console import Invocation
from softix_proxy.cli.console.key_source import KeySource


def context(captured: Captured) -> click.Context:
    return click.Context(click.Command("x"), obj=Invocation(as_json=True, captured=captured))


def test_results_go_to_who_has_called_and_not_to_the_terminal(capsys: object) -> None:
    captured = Captured(StringIO())
    with context(captured):
        console.show({"a": 1}, "A sentence.")
        console.say("prose")
        console.echo("text")
        console.echo("an error", err=True)
        console.write_file(b"bytes")
    captured.file.seek(0)
    assert captured.values == [{"a": 1}] and captured.file.read() == b"text\nbytes"
    captured.close()
    assert capsys.readouterr() == ("", "")  # type: ignore[attr-defined] # a fixture of pytest


def test_json_of_a_command_that_prints_lines_is_a_line_of_its_file() -> None:
    captured = Captured(StringIO(), as_lines=True)
    with context(captured):
        console.echo_json({"a": 1})
        console.echo_json([2])
    captured.file.seek(0)
    assert captured.file.read() == b'{"a": 1}\n[2]\n' and captured.values == []


def test_nobody_is_asked_and_a_secret_is_what_was_given() -> None:
    with context(Captured(StringIO("sk-one\n"))):
        assert not console.can_ask()
        assert KeySource(stdin=True, variable=None, file=None).read("lab", ask=True) == "sk-one"
        assert KeySource(stdin=False, variable=None, file=None).read("lab", ask=True) is None
