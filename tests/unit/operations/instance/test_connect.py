from __future__ import annotations

import json
import secrets
import stat
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError
from softix_proxy.operations.instance.connect import (
    CLIENTS,
    ClientAccess,
    changed_text,
    file_of,
    settings_text,
    undo,
    write,
)

ACCESS = ClientAccess("http://127.0.0.1:8484", f"sx_live_{secrets.token_hex(8)}", "m-1")


@pytest.mark.parametrize("name", CLIENTS)
def test_client_settings_contain_the_address_and_the_key(name: str) -> None:
    text = settings_text(CLIENTS[name], ACCESS)
    assert ACCESS.key in text
    assert (f"{ACCESS.base_url}/v1" in text) is (name != "claude-code"), "Anthropic's clients add /v1 themselves"
    assert ACCESS.key not in repr(ACCESS)


def test_client_file_path_is_the_default_or_the_given_one(tmp_path: Path) -> None:
    assert file_of(CLIENTS["claude-code"], None, tmp_path) == tmp_path / ".claude" / "settings.json"
    assert file_of(CLIENTS["openai"], None, tmp_path) == Path(".env")
    assert file_of(CLIENTS["codex"], tmp_path / "x", tmp_path) == tmp_path / "x"
    with pytest.raises(BadInputError, match="Cursor has no file"):
        file_of(CLIENTS["cursor"], None, tmp_path)


def test_client_file_after_undo_is_the_original(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"theme":"dark"}')
    first = write(CLIENTS["claude-code"], ACCESS, file)
    again = write(CLIENTS["claude-code"], ClientAccess("http://other", ACCESS.key), file)
    told = json.loads(file.read_text())
    assert told["theme"] == "dark" and told["env"]["ANTHROPIC_BASE_URL"] == "http://other"
    assert first == again and first.backup.read_text() == '{"theme":"dark"}', "as it was before the first time"
    assert {stat.S_IMODE(one.stat().st_mode) for one in (file, first.backup)} == {0o600}
    undo(file)
    assert file.read_text() == '{"theme":"dark"}' and not first.backup.exists()
    with pytest.raises(ConflictError, match=r"there is no .*before-softix"):
        undo(file)


def test_new_client_file_after_undo_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "config.yaml"
    write(CLIENTS["continue"], ACCESS, file)
    assert file.read_text().startswith("name: Local\nversion: 0.0.1\nschema: v1\nmodels:\n- name: softix m-1\n")
    undo(file)
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "backup", "folder", "dangling", "hard"])
def test_client_file_behind_a_link_is_refused_and_stays(tmp_path: Path, kind: str) -> None:
    """Whoever may write in the folder could lead softix to a file of somebody else."""
    kept = tmp_path / "elsewhere" / "config.toml"
    kept.parent.mkdir()
    kept.write_text("# mine\n")
    folder = tmp_path / "home"
    file = folder / "config.toml"
    if kind == "folder":
        folder.symlink_to(kept.parent)
    else:
        folder.mkdir()
    if kind == "backup":
        file.write_text("# other\n")
    place = file.with_name("config.toml.before-softix") if kind == "backup" else file
    if kind == "hard":
        place.hardlink_to(kept)
    elif kind != "folder":
        place.symlink_to(tmp_path / "nothing" if kind == "dangling" else kept)
    changes = [write] if kind == "backup" else [write, changed_text]
    for change in changes:
        with pytest.raises(ConflictError, match="link") as refused:
            change(CLIENTS["codex"], ACCESS, file)
        assert "--file" in refused.value.remedy
    assert kept.read_text() == "# mine\n" and [one.name for one in kept.parent.iterdir()] == ["config.toml"]
    assert not (tmp_path / "nothing").exists()


def test_client_file_that_cannot_be_read_or_written_stays_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"\xff")
    with pytest.raises(ConflictError, match="not UTF-8"):
        write(CLIENTS["claude-code"], ACCESS, file)
    file.write_text("{")
    with pytest.raises(ConflictError, match="not a JSON object"):
        write(CLIENTS["claude-code"], ACCESS, file)
    assert [one.name for one in tmp_path.iterdir()] == ["settings.json"] and file.read_text() == "{"
    with pytest.raises(FailureError, match="cannot"):
        write(CLIENTS["claude-code"], ACCESS, file / "below")
    with pytest.raises(ConflictError, match="not a plain file"):
        write(CLIENTS["claude-code"], ACCESS, tmp_path)
