import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from softix_proxy.cli.console import console, tables
from softix_proxy.cli.console.console import Command, Group, Invocation
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.errors import BadInputError, ConflictError, OperatorError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.notices.outbox import NoticeState
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

ROWS = [{"a": 1, "b": None}, {"a": True, "b": ["x", {"k": "v"}]}]


@click.group(cls=Group)
@click.pass_context
def tool(ctx: click.Context) -> None:
    ctx.obj = Invocation()


@tool.command("one")
def one() -> None:
    console.show({"name": "ada", "é": 2}, "Made.")


@tool.command("where")
def where() -> None:
    told = console.invocation()
    console.show({"data_dir": str(told.data_dir), "config": str(told.config)})


@tool.command("many")
def many() -> None:
    console.show_all(ROWS, TableLayout(("a", "b")))


@tool.command("fails")
@click.argument("kind")
def fails(kind: str) -> None:
    errors: dict[str, OperatorError] = {
        "input": BadInputError("not an amount", "write 25.00"),
        "conflict": ConflictError("it is there"),
    }
    raise errors[kind]


@tool.command("asks")
@click.option("--yes", is_flag=True)
def asks(yes: bool) -> None:
    console.confirm("Sure?", yes)
    console.say("done")


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(tool, words)
    assert result.exit_code == code, result.output
    return result


def test_global_options_after_the_command_are_read() -> None:
    assert run("where", "--data-dir", "/srv/a", "--config", "c.toml", "--json").stdout == (
        '{"data_dir": "/srv/a", "config": "c.toml"}\n'
    )
    assert "--data-dir" not in run("where", "--help").stdout


def test_show_prints_one_object_as_lines_or_json() -> None:
    said = run("one")
    assert said.stdout == "name  ada\né     2\n" and said.stderr == "Made.\n"
    result = run("one", "--json")
    assert result.stdout == '{"name": "ada", "é": 2}\n' and result.stderr == ""


def test_show_all_on_a_pipe_prints_tab_separated_lines_or_json() -> None:
    assert run("many").stdout == "a\tb\n1\t-\nyes\tx, k v\n"
    assert json.loads(run("many", "--json").stdout) == ROWS


def test_show_all_on_a_terminal_prints_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(console.sys, "stdout", Terminal())
    with click.Context(click.Command("x"), obj=Invocation()), monkeypatch.context() as patched:
        printed: list[Any] = []
        patched.setenv("COLUMNS", "80")
        patched.setattr("rich.console.Console.print", lambda _, table: printed.append(table))
        console.show_all(ROWS, TableLayout(("a", "b")))
    assert [column.header for column in printed[0].columns] == ["a", "b"]


@pytest.mark.parametrize("rows", [[], [{"a": 1, "b": "x" * 70}]])
def test_show_all_on_a_narrow_terminal_reports_left_out_columns_only_with_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: list[Any]
) -> None:
    monkeypatch.setattr(console.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    names = ("a", "b", *(f"column_{number}" for number in range(5)))
    listed = [dict.fromkeys(names, "-") | row for row in rows]
    with click.Context(click.Command("x"), obj=Invocation()):
        console.show_all(listed, TableLayout(names, leave=(*names[2:], "b")))
    error = capsys.readouterr().err
    assert ("too narrow for these columns" in error) is bool(rows)


@pytest.mark.parametrize(("kind", "code"), [("input", 2), ("conflict", 1)])
def test_operator_error_prints_one_line_and_a_remedy(kind: str, code: int) -> None:
    result = run("fails", kind, code=code)
    assert result.stderr.startswith("softix: ") and "Traceback" not in result.output
    assert ("→ write 25.00" in result.stderr) is (kind == "input")
    told = json.loads(run("fails", kind, "--json", code=code).stderr)
    assert set(told) == {"error", "remedy"}


def test_choice_of_an_enumeration_offers_its_values_and_gives_text() -> None:
    chosen = console.choice_of(NoticeState)
    assert list(chosen.choices) == [state.value for state in NoticeState]
    given = chosen.convert("given-up", None, None)
    assert given == "given-up" and type(given) is str
    with pytest.raises(click.BadParameter):
        chosen.convert("GIVEN_UP", None, None)


def test_confirm_without_yes_is_refused() -> None:
    assert "Add --yes" in run("asks", code=2).stderr
    assert "done" in run("asks", "--yes").stderr
    assert run("asks", "--yes", "--json").output == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ([], "-"),
        ({}, "-"),
        (("a", 1), "a, 1"),
        ({"a": None}, "a -"),
    ],
)
def test_plain_with_each_kind_of_value_returns_readable_text(value: object, text: str) -> None:
    assert tables.plain(value) == text


def test_commands_of_a_group_are_all_of_the_class_that_takes_json() -> None:
    assert all(isinstance(command, Command) for command in tool.commands.values())


def contents(connection: SqliteConnection) -> dict[str, list[Any]]:
    """Every row of every table."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("prices set llama --input 3", {"free": False, "version": None}),
        ("prices markup --default 7.5% --fee 0.1", {"markup": "7.5%", "version": None}),
        ("prices import {file}", {"unchanged": 0}),
        ("prices import {file} --approve", {"unchanged": 0}),
        ("models add other --provider lab --input 1", {"name": "other"}),
        ("models update llama --context 99", {"context": 99}),
        ("models disable llama", {"status": "disabled"}),
        ("models enable llama", {"status": "active"}),
        ("balance add ada@example.org 2.00 --note n --reference r", {"balance": "6.9972", "added": True}),
        ("balance set ada@example.org 1.00", {"balance": "1.00", "difference": "-3.9972"}),
        ("balance credit-limit ada@example.org 3.00", {"credit_limit": "3.00"}),
        ("usage correct {request} --charge 0.00 --note n", {"difference": "-0.0028", "correction_row_id": None}),
    ],
)
def test_command_with_dry_run_shows_the_result_and_changes_nothing(
    database: Database, run: Callable[..., Result], tmp_path: Path, line: str, shown: dict[str, object]
) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("model,input\nllama,7\n")
    connection = database.connect()
    try:
        before = contents(connection)
        words = line.format(file=prices, request=format_request_id(1))
        told = json.loads(run(f"{words} --dry-run --json").stdout)
        assert told["dry_run"] is True and {name: told[name] for name in shown} == shown
        assert "Nothing was changed (--dry-run)." in run(f"{words} --dry-run").stderr
        assert contents(connection) == before
    finally:
        connection.close()


@pytest.mark.parametrize("line", ["prices approve --all", "prices reject --all"])
def test_proposal_command_with_dry_run_keeps_the_proposals(
    database: Database, run: Callable[..., Result], tmp_path: Path, line: str
) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("model,input\nllama,7\n")
    run(f"prices import {prices}")
    connection = database.connect()
    try:
        before = contents(connection)
        assert "Nothing was changed (--dry-run)." in run(f"{line} --dry-run").stderr
        assert contents(connection) == before
    finally:
        connection.close()
