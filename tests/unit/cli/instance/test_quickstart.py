import json
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.portal_daemon import free_port
from support.process import environment

from softix_proxy.cli.instance.quickstart import FirstRequest, _program
from softix_proxy.cli.main import main

FRAME = FirstRequest("http://127.0.0.1:1", "sx_live_text", True, "demo", "5.00", "demo-model")


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "softix_proxy", "--data-dir", str(folder), "quickstart", *words]


def test_quickstart_check_makes_two_requests_and_reports_their_charges(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "softix", "--check", "--json"), capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] and len(told["requests"]) == 2 and told["balance"] < "5.00"
    assert all(one["charge"] > "0.00" and one["output_tokens"] > 0 for one in told["requests"])


def test_quickstart_run_twice_serves_the_existing_instance(tmp_path: Path) -> None:
    told = []
    for _ in range(2):
        process = subprocess.Popen(
            command(tmp_path / "softix", "--port", "0", "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert process.stdout is not None
        told.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert told[0]["key"].startswith("sx_live_") and told[1]["key"] is None
    assert told[0]["openai_base_url"] == f"{told[0]['url']}/v1" and told[1]["balance"] == "5.00"


def test_quickstart_without_the_key_of_the_provider_exits_with_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "SOFTIX_MASTER_KEY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(main, ["--data-dir", str(tmp_path / "softix"), "quickstart", "--with-openai"])
    assert result.exit_code == 2 and "needs the key in OPENAI_API_KEY" in result.stderr


def test_first_request_with_a_new_key_shows_it_and_with_an_old_key_hides_it() -> None:
    text = FRAME.text()
    assert "sx_live_text  (shown this once)" in text and "http://127.0.0.1:1/v1" in text and "curl -N" in text
    again = FirstRequest("http://127.0.0.1:1", "sx_live_text", False, "demo", "5.00", "demo-model")
    assert "YOUR_KEY" in again.text() and again.fields()["key"] is None


def test_first_request_names_the_program_as_it_was_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [".venv/bin/softix"])
    assert _program(None) == ".venv/bin/softix"
    assert _program(Path("/srv/a b")) == ".venv/bin/softix --data-dir '/srv/a b'"
    program = tmp_path / "softix"
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert _program(None) == "softix" and "softix usage list" in FRAME.text()


@pytest.mark.parametrize("public_url", [None, "http://localhost:{}/"])
def test_quickstart_with_the_portal_prints_a_link_that_opens_it(tmp_path: Path, public_url: str | None) -> None:
    port = free_port()
    given = {} if public_url is None else {"SOFTIX_PORTAL_PUBLIC_URL": public_url.format(port)}
    process = subprocess.Popen(
        command(tmp_path / "softix", "--portal", "--port", "0", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(SOFTIX_PORTAL_PORT=str(port), **given),
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["portal"].startswith(f"http://localhost:{port}/reset?token=")
    with urllib.request.urlopen(told["portal"], timeout=30) as answer:
        assert "demo@localhost" in answer.read().decode()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_quickstart_with_the_portal_on_any_free_port_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTIX_PORTAL_PORT", "0")
    result = CliRunner().invoke(main, ["--data-dir", str(tmp_path / "softix"), "quickstart", "--portal"])
    assert result.exit_code == 2 and "portal.port is 0" in result.stderr
    assert not (tmp_path / "softix").exists()


def test_quickstart_with_the_portal_and_a_check_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--data-dir", str(tmp_path / "softix"), "quickstart", "--check", "--portal"])
    assert result.exit_code == 2 and "Give one of them" in result.stderr


def test_first_request_of_a_portal_names_its_link() -> None:
    link = "http://localhost:8485/reset?token=t0ken"
    shown = replace(FRAME, portal=link)
    assert f"  Portal     {link}" in shown.text() and shown.fields()["portal"] == link
    assert "t0ken" not in repr(shown) and "portal" not in FRAME.fields()
