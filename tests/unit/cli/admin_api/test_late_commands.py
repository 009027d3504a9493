from __future__ import annotations

import subprocess
import sys

from softix_proxy.cli.admin_api.late_commands import admin_commands
from softix_proxy.cli.admin_api.runner import CommandRunner

_CODE = """
import sys
from softix_proxy.cli.instance import serve, portal
print([name for name in ("softix_proxy.cli.admin_api.runner", "softix_proxy.cli.access.keys") if name in sys.modules])
"""


def test_daemon_imports_no_command_before_the_first_call() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_commands_are_those_of_this_program() -> None:
    assert isinstance(admin_commands(lambda: None), CommandRunner)  # type: ignore[arg-type, return-value] # not asked
