import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from softix_proxy.cli.main import main

PROGRAM = "from softix_proxy.cli.main import main; main(prog_name='softix')"


@pytest.mark.parametrize(("shell", "mark"), [("bash", "complete -o"), ("zsh", "#compdef softix"), ("fish", "complete")])
def test_completion_prints_the_script_of_each_shell(shell: str, mark: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0, result.output
    assert mark in result.stdout
    assert "_SOFTIX_COMPLETE" in result.stdout
    read = json.loads(CliRunner().invoke(main, ["completion", shell, "--json"]).stdout)
    assert read["shell"] == shell
    assert read["script"].strip() == result.stdout.strip()


def test_completion_with_unknown_shell_is_refused() -> None:
    assert CliRunner().invoke(main, ["completion", "cmd"]).exit_code == 2


def test_completion_request_of_the_script_returns_the_matching_commands() -> None:
    environ = os.environ | {"_SOFTIX_COMPLETE": "bash_complete", "COMP_WORDS": "softix comp", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environ)
    assert done.stdout == "plain,completion\n", done.stderr
