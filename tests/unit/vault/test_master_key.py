import base64
import os
import secrets
import sys
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.vault import master_key
from softix_proxy.vault.master_key import MasterKey, MasterKeySources, create, from_file


@pytest.fixture
def raw() -> bytes:
    return secrets.token_bytes(32)


def put(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def sources(folder: Path, *, command: list[str] | None = None, **environ: str) -> MasterKeySources:
    return MasterKeySources(folder / "master.key", command, environ)


def printing(text: str) -> list[str]:
    return [sys.executable, "-c", f"print({text!r})"]


def test_master_key_shows_only_its_id(raw: bytes) -> None:
    key = MasterKey(raw)
    assert repr(key) == f"MasterKey({key.id})"
    assert len(key.id) == 16
    assert key.id == MasterKey(raw).id
    assert key.check_value == MasterKey(raw).check_value
    other = MasterKey(secrets.token_bytes(32))
    assert (other.id, other.check_value) != (key.id, key.check_value)
    assert raw not in key.check_value + bytes.fromhex(key.id)


def test_master_key_in_each_form_is_read(tmp_path: Path, raw: bytes) -> None:
    forms = [
        raw.hex(),
        raw.hex().upper() + "\n",
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        f"  {base64.urlsafe_b64encode(raw).decode()}\r\n",
    ]
    for form in forms:
        key = from_file(put(tmp_path / "k", form))
        assert key is not None
        assert key.id == MasterKey(raw).id


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 64])
def test_master_key_of_a_wrong_length_is_refused(tmp_path: Path, length: int) -> None:
    for text in (secrets.token_bytes(length).hex(), base64.b64encode(secrets.token_bytes(length)).decode()):
        with pytest.raises(FailureError, match="there is no master key in") as caught:
            from_file(put(tmp_path / "k", text))
        assert "openssl rand -hex 32" in caught.value.remedy
        assert length < 16 or text not in str(caught.value) + caught.value.remedy  # shorter ones are parts of words


def test_master_key_that_is_not_random_is_refused(tmp_path: Path) -> None:
    for text in ("00" * 32, "ab" * 32, "0123456789abcdef" * 4):
        with pytest.raises(FailureError, match="is not random"):
            from_file(put(tmp_path / "k", text))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o601])
def test_master_key_file_that_others_can_read_is_refused(tmp_path: Path, raw: bytes, mode: int) -> None:
    path = put(tmp_path / "k", raw.hex(), mode)
    with pytest.raises(FailureError) as caught:
        from_file(path)
    assert caught.value.remedy == f"run: chmod 600 {path}"


def test_master_key_file_that_is_unreadable_is_not_taken_for_missing(tmp_path: Path) -> None:
    (tmp_path / "k").mkdir(mode=0o700)
    with pytest.raises(FailureError, match="cannot read"):
        from_file(tmp_path / "k")
    assert from_file(tmp_path / "none") is None


def test_master_key_create_makes_one_private_file(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        key = create(tmp_path / "k")
    finally:
        os.umask(old)
    assert key is not None
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["k"]
    found = from_file(tmp_path / "k")
    assert found is not None
    assert found.id == key.id


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_master_key_created_by_root_belongs_to_the_folder_s_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 23456)
    create(tmp_path / "k")
    made = (tmp_path / "k").stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (12345, 23456, 0o600)


def test_master_key_create_overwrites_nothing(tmp_path: Path) -> None:
    put(tmp_path / "k", "mine")
    assert create(tmp_path / "k") is None
    assert (tmp_path / "k").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_master_key_create_without_a_folder_raises_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="cannot write") as caught:
        create(tmp_path / "none" / "k")
    assert caught.value.remedy


def test_master_key_sources_are_tried_in_order(tmp_path: Path) -> None:
    keys = [secrets.token_bytes(32) for _ in range(4)]
    (tmp_path / "credentials").mkdir()
    credential = put(tmp_path / "credentials" / "softix-master-key", keys[0].hex(), 0o440)
    file = put(tmp_path / "master.key", keys[1].hex())
    everything = sources(
        tmp_path,
        command=printing(keys[2].hex()),
        CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"),
        SOFTIX_MASTER_KEY=keys[3].hex(),
    )

    def found() -> tuple[str, str]:
        key, source = everything.find() or pytest.fail("no key")
        return key.id, source

    assert found() == (MasterKey(keys[0]).id, "systemd credential")
    credential.unlink()
    assert found() == (MasterKey(keys[1]).id, "file")
    file.unlink()
    assert found() == (MasterKey(keys[2]).id, "command")
    rest = sources(tmp_path, SOFTIX_MASTER_KEY=keys[3].hex()).find()
    assert rest is not None
    assert (rest.key.id, rest.source) == (MasterKey(keys[3]).id, "environment")
    assert sources(tmp_path).find() is None


def test_master_key_source_that_is_bad_is_not_skipped(tmp_path: Path, raw: bytes) -> None:
    put(tmp_path / "master.key", "")
    with pytest.raises(FailureError, match="there is no master key in"):
        sources(tmp_path, SOFTIX_MASTER_KEY=raw.hex()).find()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([sys.executable, "-c", "import sys; sys.exit('hunter2')"], "master_key.command ended with 1"),
        ([sys.executable, "-c", "print('hunter2')"], "there is no master key in the output of master_key.command"),
        (["/none/hunter2"], "master_key.command cannot run: No such file or directory"),
    ],
)
def test_master_key_command_that_fails_shows_no_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: list[str], message: str
) -> None:
    with pytest.raises(FailureError) as caught:
        sources(tmp_path, command=command).find()
    assert caught.value.message == message
    assert caught.value.remedy
    assert "hunter2" not in caught.value.remedy + "".join(capfd.readouterr())


def test_master_key_command_has_no_shell_and_no_standard_input(tmp_path: Path, raw: bytes) -> None:
    script = "import sys; assert sys.argv[1] == '$HOME;x' and not sys.stdin.read(); print('" + raw.hex() + "')"
    found = sources(tmp_path, command=[sys.executable, "-c", script, "$HOME;x"]).find()
    assert found is not None
    assert found.key.id == MasterKey(raw).id


def test_master_key_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(master_key, "_COMMAND_TIMEOUT_S", 0.05)
    with pytest.raises(FailureError, match="gave no key within"):
        sources(tmp_path, command=["sleep", "60"]).find()


def test_next_master_key_is_found_beside_the_first(tmp_path: Path) -> None:
    where = sources(tmp_path)
    first, following = create(where.file), create(where.next_file)
    assert first is not None
    assert following is not None
    assert where.next_file.name == "master.key.next"
    for key in (first, following):
        by_id = where.find_by_id(key.id)
        assert by_id is not None
        assert by_id.check_value == key.check_value
    assert where.find_by_id("00" * 8) is None
