import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from support.process import environment

from softix_proxy import __version__
from softix_proxy.cli.main import COMMANDS, main


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something, by its words."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


LEAVES = sorted(leaves(main))


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_command_help_contains_an_example_and_the_json_option(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"])
    text = " ".join(result.output.split())
    assert result.exit_code == 0
    assert " ".join(words) in text.partition("Example: ")[2] and "softix" in text.partition("Example: ")[2]
    assert "--json" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_command_list_in_the_help_contains_each_command_and_its_summary(name: str) -> None:
    listed = CliRunner().invoke(main, ["--help"]).output
    assert f"  {name} " in listed and COMMANDS[name][:30] in listed


def test_main_with_unknown_command_exits_with_code_2() -> None:
    result = CliRunner().invoke(main, ["nonsense"])
    assert result.exit_code == 2 and "nonsense" in result.stderr


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment())


def test_module_run_as_a_process_prints_the_version() -> None:
    assert run("-m", "softix_proxy", "--version").stdout.strip() == f"softix, version {__version__}"


def test_main_help_imports_no_large_library() -> None:
    """It is asked for often, and read at once."""
    code = (
        "import sys; from softix_proxy.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print({'aiohttp', 'msgspec', 'cryptography', 'nacl', 'rich'} & set(sys.modules))"
    )
    assert run("-c", code).stdout.splitlines()[-1] == "set()"
