from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from support.daemon import Instance, prepared

SERVES = """
import json, os, signal, sys
print("hello")
print(json.dumps({"event": "serving", "url": "http://127.0.0.1:1"}), flush=True)
print("a line for the log", os.environ["SOFTIX_LOG_LEVEL"], file=sys.stderr, flush=True)
signal.sigwait({signal.SIGTERM})
"""


class Scripted(Instance):
    """Runs a script in place of softix."""

    def __init__(self, folder: Path, script: str) -> None:
        super().__init__(folder)
        self.script = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n{script}"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", self.script, *arguments]


async def test_instance_starts_when_it_serves_and_stops(tmp_path: Path) -> None:
    instance = Scripted(tmp_path, SERVES)
    async with instance.serving(SOFTIX_LOG_LEVEL="debug"):
        assert instance.url == "http://127.0.0.1:1" and instance.running
    assert not instance.running and instance.log_text() == "a line for the log debug\n"


async def test_killed_instance_starts_again(tmp_path: Path) -> None:
    instance = Scripted(tmp_path, SERVES)
    async with instance.serving(SOFTIX_LOG_LEVEL="debug"):
        await instance.kill()
        assert await instance.wait() == -signal.SIGKILL
    async with instance.serving(SOFTIX_LOG_LEVEL="info"):
        assert instance.running
    assert instance.log_text().endswith("a line for the log info\n")


async def test_instance_that_does_not_start_reports_its_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3: .*no luck"):
        await Scripted(tmp_path, "import sys; print('no luck', file=sys.stderr); sys.exit(3)").start()


def test_instance_cli_returns_the_command_s_json_or_raises(tmp_path: Path) -> None:
    echo = Scripted(tmp_path, "import json, sys; print(json.dumps([sys.argv[1:], sys.stdin.read()]))")
    assert echo.cli("x", "list", stdin="typed") == [["--json", "x", "list"], "typed"]
    assert Scripted(tmp_path, "").cli("x") is None
    with pytest.raises(AssertionError, match="softix x ended with 2"):
        Scripted(tmp_path, "raise SystemExit(2)").cli("x")
    assert Scripted(tmp_path, "raise SystemExit(2)").cli("x", check=False) is None


async def test_prepared_instance_has_what_the_cli_lists_and_shows_no_secret(tmp_path: Path) -> None:
    ready = await prepared(tmp_path, "http://127.0.0.1:9", balance="12.50", chat_models=("gpt-test", "gpt-other"))
    assert ready.balance()["available"] == "12.50"
    listed = ready.instance.cli("models", "list")
    assert sorted(model["name"] for model in listed) == ["claude-test", "gpt-other", "gpt-test"]
    assert [key["prefix"] for key in ready.instance.cli("keys", "list")] == [ready.key[: len("sx_live_") + 4]]
    for secret in (ready.key, *ready.provider_keys.values()):
        assert secret not in repr(ready)
        assert all(secret.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
