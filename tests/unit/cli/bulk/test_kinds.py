from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from softix_proxy.cli.bulk.kinds import KINDS

Run = Callable[..., Result]
Read = Callable[[str], Any]


def test_every_section_is_made_and_changed_by_commands_that_exist() -> None:
    from softix_proxy.cli.admin_api.described import CommandTable

    found = CommandTable().found
    for kind in KINDS:
        assert kind.makes in found and (not kind.changes or kind.changes in found)
        assert all(not command or command in found for command in kind.statuses.values())


def test_status_switches_things_off_and_on(file: Path, run: Run, read: Read, tmp_path: Path) -> None:
    run(f"apply {file} --yes")
    place = tmp_path / "off.toml"
    place.write_text(
        '[[users]]\nname = "bob"\nemail = "bob@example.org"\nstatus = "disabled"\n'
        '[[models]]\nname = "llama"\nprovider = "lab"\nstatus = "disabled"\n'
        '[[routes]]\nname = "best"\nstatus = "disabled"\n'
        '[[keys]]\nuser = "bob"\nname = "ci"\nstatus = "revoked"\n'
    )
    assert read(f"apply {place} --yes")["changed"] == 4
    assert read("users show bob")["status"] == read("models show lab/llama")["status"] == "disabled"
    assert [one["status"] for one in read("keys list --user bob")] == ["revoked"]
    assert read(f"apply {place} --yes")["changes"] == []
    place.write_text(place.read_text().replace("disabled", "active"))
    assert read(f"apply {place} --yes")["changed"] == 3
    assert read("routes show best")["status"] == "active"
