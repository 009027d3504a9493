"""Servers for tests, as processes of their own that tell their URL in a line of JSON and end with us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    """Ours, with the package under test on the path, and without proxies and instances of whoever runs the tests.

    A process keeps what it compiled, whatever the machine says: without that, half of each start is compiling.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith("_PROXY")
        and not name.startswith(("SOFTIX_", "OPENAI_", "ANTHROPIC_"))
        and name != "PYTHONDONTWRITEBYTECODE"
    }
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": path, **more}


class ServerProcess:
    """Runs a script of this folder until `stop`."""

    def __init__(self, script: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(script))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{script} ended with {self.process.wait()}")
        self.told: dict[str, Any] = json.loads(line)
        self.base_url: str = self.told["url"]

    def stop(self) -> None:
        """By closing its standard input, as the end of our own process would."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
