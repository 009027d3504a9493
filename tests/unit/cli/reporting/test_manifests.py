import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.exported import FIRST_ID, Exporter, row

from softix_proxy.cli.main import main
from softix_proxy.vault.signatures import Ed25519Signer

Softix = Callable[..., Result]
SIGNER = Ed25519Signer(secrets.token_bytes(32))


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    exporter = Exporter(SIGNER)
    for name in ("a.csv", "b.csv", "c.csv"):
        exporter.csv(folder, name, 5)
    return folder


def verify(*arguments: object) -> Result:
    """Without an instance."""
    return CliRunner().invoke(main, ["export", "verify", *map(str, arguments)])


def test_export_verify_with_public_key_as_text_or_file_succeeds_without_an_instance(exports: Path) -> None:
    (exports / "key").write_text(SIGNER.public_key + "\n")
    for key in (SIGNER.public_key, SIGNER.public_key.upper(), exports / "key"):
        (exports / "key").write_text(SIGNER.public_key + "\n")
        if key != exports / "key":
            (exports / "key").unlink()
        done = verify(exports, "--public-key", key)
        assert (done.exit_code, done.stdout) == (0, "") and "manifests 1 to 3, files: 3" in done.stderr
    told = json.loads(verify(exports, "--public-key", exports / "key", "--json").stdout)
    assert told.pop("last_sha256") and told == {
        "ok": True, "manifests": 3, "files": 3, "first": 1, "last": 3, "findings": [],
    }  # fmt: skip


def test_export_verify_with_changed_files_prints_one_line_for_each_finding(exports: Path) -> None:
    path = exports / "a.csv"
    path.write_bytes(path.read_bytes().replace(row(3), row(3) + b"1"))
    (exports / "b.csv").unlink()
    (exports / "d.csv").write_text("x")
    done = verify(exports, "--public-key", SIGNER.public_key)
    row_id = FIRST_ID + 21
    assert done.exit_code == 1 and done.stdout.splitlines() == [
        f"{path}: row {row_id} was changed",
        f"{exports / 'b.csv'}: was removed",
        f"{exports / 'd.csv'}: was added: no manifest names it",
    ]
    told = json.loads(verify(exports, "--public-key", SIGNER.public_key, "--json").stdout)
    assert told["ok"] is False
    assert told["findings"][0] == {"file": str(path), "detail": f"row {row_id} was changed", "row_id": row_id}


def test_export_verify_with_missing_manifest_reports_its_number(exports: Path) -> None:
    for path in exports.glob("b.csv*"):
        path.unlink()
    assert "manifest 2 was removed" in verify(exports, "--public-key", SIGNER.public_key).stdout
    assert verify(exports, "--public-key", SIGNER.public_key, "--allow-gaps").exit_code == 0
    assert "manifest 4 was removed" in verify(exports, "--public-key", SIGNER.public_key, "--last", 4).stdout


@pytest.mark.parametrize("key", ["x", "00", "nowhere/key"])
def test_export_verify_with_invalid_public_key_exits_with_code_2(exports: Path, key: str) -> None:
    done = verify(exports, "--public-key", key)
    assert done.exit_code == 2 and "no public key" in done.stderr and done.stdout == ""


def test_export_verify_with_missing_or_empty_folder_reports_it(tmp_path: Path) -> None:
    assert verify(tmp_path / "no", "--public-key", SIGNER.public_key).exit_code == 2
    assert "there is no manifest" in verify(tmp_path, "--public-key", SIGNER.public_key).stdout


def test_export_public_key_after_secrets_rotate_is_unchanged(run: Softix, read: Callable[[str], Any]) -> None:
    key = run("export public-key").stdout.strip()
    assert len(bytes.fromhex(key)) == 32 and read("export public-key") == {"public_key": key, "algorithm": "Ed25519"}
    run("secrets rotate --yes")
    assert run("export public-key").stdout.strip() == key
    assert read("export list") == []
