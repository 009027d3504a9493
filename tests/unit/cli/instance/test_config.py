import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from softix_proxy.cli.main import main
from softix_proxy.settings import describe, example


def softix(folder: Path, *words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--data-dir", str(folder), *words])
    assert result.exit_code == code, result.output
    return result


def test_config_show_returns_each_setting_with_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text("[server]\nport = 9000\n[master_key]\ncommand = ['kms', 'hunter2']\n")
    monkeypatch.setenv("SOFTIX_LOG_LEVEL", "debug")
    monkeypatch.setenv("SOFTIX_MASTER_KEY", "hunter2")
    shown = softix(tmp_path, "config", "show", "--json")
    rows = {row["name"]: (row["value"], row["source"]) for row in json.loads(shown.stdout)}
    assert len(rows) == len(list(describe()))
    assert rows["server.port"] == (9000, "file")
    assert rows["log.level"] == ("debug", "environment")
    assert rows["server.host"] == ("127.0.0.1", "default")
    assert rows["server.trusted_proxies"] == ([], "default")
    table = softix(tmp_path, "config", "show")
    assert "server.port\t9000\tfile" in table.stdout.splitlines()
    assert f"Configuration file: {tmp_path / 'config.toml'}\n" in table.stderr
    assert "hunter2" not in shown.output + table.output


def test_config_check_with_valid_or_no_file_succeeds(tmp_path: Path) -> None:
    assert json.loads(softix(tmp_path, "config", "check", "--json").stdout) == {
        "ok": True,
        "config": None,
        "config_place": str(tmp_path / "config.toml"),
        "data_dir": str(tmp_path),
    }
    (tmp_path / "config.toml").write_text(example())
    assert json.loads(softix(tmp_path, "config", "check", "--json").stdout)["config"] == str(tmp_path / "config.toml")


def test_config_check_with_a_missing_referenced_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[upstream]\nca_file = "ca.pem"\n')
    refused = softix(tmp_path, "config", "check", code=2)
    assert f"upstream.ca_file: there is no file {tmp_path / 'ca.pem'}" in refused.stderr
    (tmp_path / "ca.pem").write_text("")
    softix(tmp_path, "config", "check")


def test_config_show_without_a_file_says_where_it_would_be_read_from(tmp_path: Path) -> None:
    told = f"none; it would be read from {tmp_path / 'config.toml'}"
    assert f"Configuration file: {told}" in softix(tmp_path, "config", "show").stderr
    assert told in softix(tmp_path, "config", "check").stdout


@pytest.mark.parametrize(
    ("text", "file", "folder", "message", "remedy"),
    [
        ('[mail]\ntemplates = "there"\n', None, None, "mail.templates: there is no folder", "make the folder, or"),
        ('[mail]\ntemplates = "there"\n', "there", None, "mail.templates: there is no folder", "make the folder, or"),
        ('[mail]\ntemplates = "there"\n', None, "there", None, None),
        ('[mail]\nfolder = "there"\n', None, None, None, None),
        ('[mail]\nfolder = "there"\n', None, "there", None, None),
        ('[mail]\nfolder = "there"\n', "there", None, "is no folder", "correct its path"),
        ('[mail]\nfolder = "over/there"\n', None, None, "mail.folder: there is no folder", "make the folder, or"),
        ('[log]\nfile = "there"\n', None, None, None, None),
        ('[log]\nfile = "there"\n', "there", None, None, None),
        ('[log]\nfile = "there"\n', None, "there", "is a folder", "add the name of a file to its path"),
        ('[log]\nfile = "over/there"\n', None, None, "log.file: there is no folder", "make the folder, or"),
    ],
)
def test_config_check_demands_of_a_path_only_what_softix_needs_there(
    tmp_path: Path, text: str, file: str | None, folder: str | None, message: str | None, remedy: str | None
) -> None:
    (tmp_path / "config.toml").write_text(text)
    if file is not None:
        (tmp_path / file).touch()
    if folder is not None:
        (tmp_path / folder).mkdir()
    checked = softix(tmp_path, "config", "check", code=0 if message is None else 2)
    if message is not None:
        assert message in checked.stderr
        assert f"→ {remedy}" in checked.stderr


def test_config_example_prints_the_example_file(tmp_path: Path) -> None:
    assert softix(tmp_path, "config", "example").stdout == example()
    assert json.loads(softix(tmp_path, "config", "example", "--json").stdout) == {"toml": example()}
    assert set(tomllib.loads(example())) == {setting.section for setting in describe()}


@pytest.mark.parametrize("words", [["config", "check"], ["config", "show"], ["users", "list"], ["init"]])
def test_command_with_unknown_setting_prints_two_lines_and_exits_with_code_2(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "config.toml").write_text("[server]\nprot = 1\n")
    program = "from softix_proxy.cli.main import main; main(prog_name='softix')"
    done = subprocess.run(
        [sys.executable, "-c", program, "--data-dir", str(tmp_path), *words], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"softix: {tmp_path / 'config.toml'}: [server] has no setting 'prot'",
        "  → did you mean port?",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]
