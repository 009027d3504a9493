"""Whatever is done to exported files is found, and what was not touched is not accused."""

import json
import random
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.exported import FIRST_ID, Exporter, row

from softix_proxy.domain.reporting.manifests import canonical
from softix_proxy.exports.reporting.audit import Audit, ManifestRange, audit
from softix_proxy.vault.signatures import Ed25519Signer, is_signed

SIGNER = Ed25519Signer(secrets.token_bytes(32))
ROWS = 2500


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months in a folder, and a journal in one below."""
    folder = tmp_path_factory.mktemp("exports")
    exporter = Exporter(SIGNER)
    exporter.csv(folder, "a.csv", ROWS)
    exporter.csv(folder, "b.csv", 10)
    (folder / "below").mkdir()
    exporter.export(folder / "below", "b.journal", b"2026-11-01 * charges\n  a  1\n  b\n")
    exporter.csv(folder, "c.csv", 0)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "exports")


def check(folder: Path, **expected: object) -> Audit:
    return audit([folder], SIGNER.public_key, is_signed, ManifestRange(**expected))  # type: ignore[arg-type]


def details(folder: Path, **expected: object) -> list[str]:
    found = check(folder, **expected).findings
    return [f"{Path(one.file).relative_to(folder)}: {one.detail}" for one in found]


def test_audit_of_untouched_exports_finds_nothing(folder: Path) -> None:
    told = check(folder, first=1, last=4)
    assert told.findings == [] and (told.manifests, told.files, told.first, told.last) == (4, 4, 1, 4)


def test_audit_with_a_changed_row_names_it(folder: Path) -> None:
    path, number = folder / "a.csv", 1234
    path.write_bytes(path.read_bytes().replace(row(number), row(number) + b"9"))
    [finding] = check(folder).findings
    assert finding == (str(path), f"row {FIRST_ID + number * 7} was changed", FIRST_ID + number * 7)


def test_audit_with_removed_changed_and_added_files_names_each(folder: Path) -> None:
    (folder / "b.csv").unlink()
    (folder / "below" / "new.csv").write_text("1")
    (folder / "below" / "b.journal").write_text("2026-11-01 * nothing\n")
    assert details(folder) == [
        "b.csv: was removed",
        "below/b.journal: was changed",
        "below/new.csv: was added: no manifest names it",
    ]


def test_audit_with_a_removed_export_reports_the_gap_in_the_chain(folder: Path) -> None:
    """In the middle it is missed; at the ends, if it is known how far the chain goes."""
    (folder / "b.csv").unlink()
    (folder / "b.csv.0002.manifest.json").unlink()
    assert details(folder) == ["below: manifest 2 was removed, with what was exported"]
    assert details(folder, gaps=True) == []
    for name in ("a.csv", "a.csv.0001.manifest.json", "c.csv", "c.csv.0004.manifest.json"):
        (folder / name).unlink()
    assert details(folder) == []
    assert details(folder, first=1, last=9) == [
        "below: manifests 1 to 2 were removed, with what was exported",
        "below: manifests 4 to 9 were removed, with what was exported",
    ]


def change(place: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    document = json.loads(place.read_bytes())
    change(document)
    place.write_bytes(canonical(document) + b"\n")


def test_audit_with_a_changed_manifest_reports_the_reason(folder: Path) -> None:
    place = folder / "b.csv.0002.manifest.json"
    text = place.read_bytes()
    for changed, message in (
        (lambda told: told["head"].update(created_at="2026-12-01T00:00:00.000000Z"), "its signature is not right"),
        (lambda told: told["body"].update(format="jsonl"), "its body is not the one that was signed"),
        (lambda told: told["head"].update(version=2), "no manifest that this version knows"),
        (lambda told: told["head"].update(more=1), "no manifest that this version knows"),
        (lambda told: told["body"].update(files=[1]), "no manifest that this version knows"),
        (lambda told: told["head"].update(public_key="00" * 32), "is signed by another key"),
    ):
        change(place, changed)
        found = details(folder)
        assert found[0].startswith("b.csv.0002.manifest.json: ") and message in found[0]
        assert "b.csv: was added: no manifest names it" in found
        place.write_bytes(text)
    place.write_bytes(b" " + text)
    assert "not the one that was signed" in details(folder)[0]
    place.write_bytes(text)
    place.rename(folder / "b.csv.0003.manifest.json")
    assert details(folder)[0] == "b.csv.0003.manifest.json: was renamed: it is b.csv.0002.manifest.json"


def test_audit_with_another_public_key_reports_every_manifest(folder: Path) -> None:
    other = Ed25519Signer(secrets.token_bytes(32)).public_key
    found = audit([folder], other, is_signed, ManifestRange()).findings
    assert len(found) == 8 and "is signed by another key" in found[0].detail


def test_audit_with_a_second_chain_of_the_same_key_reports_a_broken_chain(folder: Path, tmp_path: Path) -> None:
    """As from a backup that was restored."""
    exporter = Exporter(SIGNER)
    exporter.csv(tmp_path / "exports" / "below", "x.csv", 1)
    exporter.csv(tmp_path / "exports" / "below", "y.csv", 1)
    assert any("the chain is broken" in line for line in details(folder))


def test_audit_with_a_file_exported_twice_finds_nothing(tmp_path: Path) -> None:
    exporter = Exporter(SIGNER)
    for rows in (5, 6):
        exporter.csv(tmp_path, "a.csv", rows)
    told = check(tmp_path, first=1)
    assert (told.findings, told.manifests, told.files) == ([], 2, 1)


def test_audit_with_a_copy_of_the_folder_finds_nothing(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "copy")
    assert audit([folder, other], SIGNER.public_key, is_signed, ManifestRange()).findings == []


def test_audit_with_an_excluded_file_ignores_it_and_reports_an_empty_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert check(tmp_path / "none").findings == [(str(tmp_path / "none"), "there is no manifest", None)]
    (folder / "key").write_text(SIGNER.public_key)
    assert len(check(folder).findings) == 1
    assert audit([folder], SIGNER.public_key, is_signed, ManifestRange(), [folder / "key"]).findings == []


def test_audit_with_a_link_or_folder_in_place_of_a_file_reports_it(folder: Path) -> None:
    (folder / "a.csv").unlink()
    (folder / "a.csv").mkdir()
    (folder / "lost").symlink_to("nowhere")
    assert details(folder) == ["a.csv: was removed", "lost: was added: no manifest names it"]


Tamper = Callable[[Path, random.Random], object]


def flip(path: Path, chance: random.Random) -> None:
    text = bytearray(path.read_bytes())
    at = chance.randrange(len(text))
    text[at] ^= 1 << chance.randrange(8)
    path.write_bytes(text)


def cut(path: Path, chance: random.Random) -> None:
    text = path.read_bytes()
    path.write_bytes(text[: chance.randrange(len(text))])


def put_in(path: Path, chance: random.Random) -> None:
    text = path.read_bytes()
    at = chance.randrange(len(text) + 1)
    path.write_bytes(text[:at] + chance.randbytes(chance.randint(1, 30)) + text[at:])


def with_rows(edit: Callable[[list[bytes], random.Random], object]) -> Tamper:
    def tamper(path: Path, chance: random.Random) -> None:
        header, *lines = path.read_bytes().split(b"\r\n")
        edit(lines, chance)
        path.write_bytes(b"\r\n".join([header, *lines]))

    return tamper


def swap(lines: list[bytes], chance: random.Random) -> None:
    first, second = chance.sample(range(len(lines) - 1), 2)
    lines[first], lines[second] = lines[second], lines[first]


FILES: list[Tamper] = [flip, cut, put_in, lambda path, _: path.unlink(), lambda path, _: path.rename(f"{path}.old")]
TAMPERS: list[Tamper] = [
    with_rows(lambda lines, chance: lines.pop(chance.randrange(len(lines) - 1))),
    with_rows(lambda lines, chance: lines.insert(chance.randrange(len(lines)), chance.choice(lines[:-1]))),
    with_rows(swap),
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(0, len(FILES) + len(TAMPERS) - 1))
def test_audit_with_any_change_reports_only_the_changed_file(
    original: Path, chance: random.Random, number: int
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = shutil.copytree(original, Path(place) / "exports")
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
        path = chance.choice(files) if number < len(FILES) else folder / chance.choice(["a.csv", "b.csv"])
        before = path.read_bytes()
        (FILES + TAMPERS)[number](path, chance)
        if path.exists() and path.read_bytes() == before:
            return
        found = check(folder).findings
        assert found
        name = path.name.partition(".0")[0]  # of a manifest, also what it names
        assert all(name in one.file or "removed, with what was exported" in one.detail for one in found), found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, ROWS - 1), st.sampled_from(["changed", "removed", "added"]), st.binary(min_size=1, max_size=9))
def test_audit_with_any_one_changed_row_names_its_id(original: Path, number: int, what: str, more: bytes) -> None:
    more = more.replace(b"\r", b"0").replace(b"\n", b"0")
    line = {"changed": row(number) + more + b"\r\n", "removed": b"", "added": (row(number) + b"\r\n") * 2}[what]
    with tempfile.TemporaryDirectory() as place:
        folder = shutil.copytree(original, Path(place) / "exports")
        path = folder / "a.csv"
        path.write_bytes(path.read_bytes().replace(row(number) + b"\r\n", line))
        row_id = FIRST_ID + number * 7
        assert check(folder).findings == [(str(path), f"row {row_id} was {what}", row_id)]
