import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from softix_proxy.doctor.findings import Severity
from softix_proxy.settings import Settings


async def test_file_mode_check_of_a_new_instance_is_ok(made: Settings, look) -> None:
    [found] = await look("file-modes")
    assert found.severity is Severity.OK


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622, 0o666])
@pytest.mark.parametrize("name", ["master.key", "softix.db", "softix.db-wal", "softix.db-shm"])
async def test_file_mode_check_of_an_open_file_names_a_remedy_that_works(
    made: Settings, look, books, name: str, mode: int
) -> None:
    books.execute("SELECT count(*) FROM users").fetchall()
    place = made.paths.data_dir / name
    place.chmod(mode)
    [found] = await look("file-modes")
    assert found.severity is Severity.ERROR
    assert ("change" in found.message) == bool(mode & 0o022)
    program, wanted, file = shlex.split(found.remedy.removeprefix("run: "))
    assert (program, Path(file)) == ("chmod", place)
    place.chmod(int(wanted, 8))
    [found] = await look("file-modes")
    assert found.severity is Severity.OK


@pytest.mark.parametrize(("mode", "severity"), [(0o755, Severity.WARNING), (0o770, Severity.ERROR)])
async def test_file_mode_check_of_an_open_data_folder_names_chmod_700(
    made: Settings, look, mode: int, severity: Severity
) -> None:
    made.paths.data_dir.chmod(mode)
    [found] = await look("file-modes")
    assert (found.severity, found.remedy) == (severity, f"run: chmod 700 {made.paths.data_dir}")


async def test_file_mode_check_of_an_open_slots_folder_reports_an_error(made: Settings, look) -> None:
    folder = made.paths.database.with_name("softix.db-slots")
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    [found] = await look("file-modes")
    assert (found.severity, found.remedy) == (Severity.ERROR, f"run: chmod 700 {folder}")


async def test_file_mode_check_of_another_user_s_files_reports_errors(
    made: Settings, look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4321)
    findings = await look("file-modes")
    assert {finding.severity for finding in findings} == {Severity.ERROR}
    assert any(finding.remedy == f"run: chown {os.getuid() + 4321} {made.paths.master_key}" for finding in findings)


async def test_file_mode_check_as_root_accepts_another_user_s_instance(
    made: Settings, look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert [finding.severity for finding in await look("file-modes")] == [Severity.OK]


async def test_file_mode_check_of_a_configuration_that_others_can_write_reports_an_error(
    made: Settings, look, tmp_path: Path
) -> None:
    config = tmp_path / "my config.toml"
    config.touch()
    with_file = replace(made, paths=replace(made.paths, config=config))
    config.chmod(0o644)
    [found] = await look("file-modes", settings=with_file)
    assert found.severity is Severity.OK
    with_command = replace(with_file, from_file=frozenset({"master_key.command"}))
    [found] = await look("file-modes", settings=with_command)
    assert (found.severity, found.remedy) == (Severity.WARNING, f"run: chmod o-rwx '{config}'")
    config.chmod(0o664)
    [found] = await look("file-modes", settings=with_command)
    assert (found.severity, found.remedy) == (Severity.ERROR, f"run: chmod go-w '{config}'")


async def test_file_mode_check_without_a_folder_names_init_as_the_remedy(settings: Settings, look) -> None:
    [found] = await look("file-modes")
    assert (found.severity, found.remedy.startswith("run: softix init")) == (Severity.ERROR, True)
