import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from support.process import environment


def serve(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "softix_proxy", "--data-dir", str(folder), "serve", "--port", "0", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_after_a_stop_signal_exits_with_code_0(instance: Path, number: signal.Signals) -> None:
    process = serve(instance, "--json")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["event"] == "serving" and told["url"].startswith("http://127.0.0.1:")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "") and "Traceback" not in err


def test_serve_without_an_instance_exits_with_the_init_remedy(tmp_path: Path) -> None:
    process = serve(tmp_path / "none")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and "run: softix init" in err


def test_serve_with_invalid_port_exits_with_code_2(run: Callable[..., Result]) -> None:
    assert "--port" in run("serve --port 70000", code=2).stderr
