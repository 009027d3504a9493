import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError
from softix_proxy.domain.reporting.manifests import Manifest, RowForm
from softix_proxy.exports.reporting.atomic_file import AtomicExport, left_over, publishing
from softix_proxy.exports.reporting.fingerprints import Begun, of_file

MANIFEST = Manifest(3, "2026-11-01T00:00:00.000000Z", "a.csv", "csv", 1, "00" * 32, None, "11" * 32, b"signed")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def body_of(draft: AtomicExport) -> dict[str, object]:
    return {"files": [entry.fields() for entry in draft.entries()]}


def publish(draft: AtomicExport, manifest: Manifest = MANIFEST) -> Path:
    body = body_of(draft)
    draft.stage(body)
    return draft.place(manifest, body)


def test_atomic_export_places_the_file_together_with_its_manifest(tmp_path: Path) -> None:
    with AtomicExport(tmp_path / "a.csv", overwrite=False, form=RowForm("", "\n")) as draft:
        draft.write(b"row_id,x\n")
        draft.write(b"1,2\n")
        assert names(tmp_path) == {"a.csv.partial"}
        [entry] = draft.entries()
        assert (entry.name, entry.size_bytes, entry.chunks[0].lines) == ("a.csv", 13, 2)
        place = publish(draft)
    assert names(tmp_path) == {"a.csv", "a.csv.0003.manifest.json"} and place.parent == tmp_path
    assert (tmp_path / "a.csv").read_bytes() == b"row_id,x\n1,2\n"
    document = json.loads(place.read_bytes())
    assert document["head"]["number"] == 3 and document["signature"] == b"signed".hex()
    assert document["body"]["files"][0]["name"] == "a.csv"


def test_atomic_export_without_content_places_an_empty_file(tmp_path: Path) -> None:
    with AtomicExport(tmp_path / "a.jsonl", overwrite=False) as draft:
        publish(draft, replace(MANIFEST, name="a.jsonl"))
    assert (tmp_path / "a.jsonl").read_bytes() == b""


def test_atomic_export_into_a_missing_folder_creates_it_with_several_files(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    with AtomicExport(folder, overwrite=False, in_folder=True) as draft:
        draft.write(b"1", "a.csv")
        draft.write(b"2", "a.csv")
        draft.write(b"3", "b.csv")
        assert draft.name == "a.csv"
        assert publish(draft).parent == folder
    assert names(folder) == {"a.csv", "b.csv", "a.csv.0003.manifest.json"}
    assert [(folder / name).read_bytes() for name in ("a.csv", "b.csv")] == [b"12", b"3"]


@pytest.mark.parametrize("in_folder", [False, True])
def test_atomic_export_after_a_failure_leaves_no_file(tmp_path: Path, in_folder: bool) -> None:
    out = tmp_path / "out"
    with pytest.raises(RuntimeError), AtomicExport(out, overwrite=False, in_folder=in_folder) as draft:
        draft.write(b"x", "a.csv")
        draft.write(b"y", "a.csv" if not in_folder else "b.csv")
        raise RuntimeError
    assert names(tmp_path) == set()


def test_atomic_export_with_an_existing_file_keeps_it_unless_overwrite_is_set(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_bytes(b"old")
    with pytest.raises(ConflictError, match="exists"), AtomicExport(out, overwrite=False):
        pass
    with pytest.raises(ConflictError, match="exists"), AtomicExport(tmp_path, overwrite=False, in_folder=True) as draft:
        draft.write(b"x", "a.csv")
    assert (names(tmp_path), out.read_bytes()) == ({"a.csv"}, b"old")
    with AtomicExport(out, overwrite=True) as draft:
        draft.write(b"new")
        assert out.read_bytes() == b"old"
        publish(draft)
    assert out.read_bytes() == b"new"


def test_atomic_export_with_a_file_created_meanwhile_keeps_that_file(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    with pytest.raises(ConflictError, match="exists"), AtomicExport(out, overwrite=False) as draft:
        draft.write(b"new")
        out.write_bytes(b"another's")
        publish(draft)
    assert (names(tmp_path), out.read_bytes()) == ({"a.csv"}, b"another's")


@pytest.mark.parametrize("name", ["a.manifest.json", "a.partial"])
def test_atomic_export_with_a_reserved_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError), AtomicExport(tmp_path / name, overwrite=True):
        pass


def test_atomic_export_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(FailureError, match="cannot write"),
        AtomicExport(tmp_path / "no" / "a.csv", overwrite=False) as draft,
    ):
        draft.write(b"x")


def test_atomic_export_while_another_writes_the_same_file_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    with AtomicExport(out, overwrite=True) as draft:
        draft.write(b"first")
        with pytest.raises(ConflictError, match="another process"), AtomicExport(out, overwrite=True) as other:
            other.write(b"second")
        publish(draft)
    assert out.read_bytes() == b"first"


def test_atomic_export_after_a_killed_process_writes_the_file_again(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    (tmp_path / "a.csv.partial").write_bytes(b"half a fi")
    with AtomicExport(out, overwrite=False) as draft:
        draft.write(b"whole")
        publish(draft)
    assert (out.read_bytes(), names(tmp_path)) == (b"whole", {"a.csv", "a.csv.0003.manifest.json"})


def staged(tmp_path: Path, *files: str) -> None:
    """As after a kill between the books and the renaming."""
    with AtomicExport(tmp_path, overwrite=False, in_folder=True) as draft:
        for file in files:
            draft.write(file.encode(), file)
        draft.stage(body_of(draft))


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_left_over_export_after_a_kill_is_completed(tmp_path: Path, renamed: int) -> None:
    """However far it came."""
    staged(tmp_path, "a.csv", "b.csv")
    for name in ("a.csv", "b.csv")[:renamed]:
        (tmp_path / f"{name}.partial").rename(tmp_path / name)
    with left_over(tmp_path) as found:
        [left] = found
        assert left.make_up(MANIFEST) == tmp_path / "a.csv.0003.manifest.json"
    assert names(tmp_path) == {"a.csv", "b.csv", "a.csv.0003.manifest.json"}
    assert (tmp_path / "b.csv").read_bytes() == b"b.csv"
    with left_over(tmp_path) as found:
        assert found == []


def test_left_over_export_with_changed_content_is_not_completed(tmp_path: Path) -> None:
    staged(tmp_path, "a.csv")
    (tmp_path / "a.csv.partial").write_bytes(b"a new run")
    with left_over(tmp_path / "a.csv") as found:
        assert found[0].make_up(MANIFEST) is None
        found[0].discard()
    assert names(tmp_path) == {"a.csv.partial"}


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_left_over_export_with_a_truncated_body_is_ignored(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.csv.manifest.partial").write_bytes(text)
    for out in (tmp_path, tmp_path / "a.csv", tmp_path / "no" / "a.csv"):
        with left_over(out) as found:
            assert list(found) == []


def test_publishing_while_another_process_publishes_waits_for_its_lock(tmp_path: Path) -> None:
    """The lock dies with its process."""
    code = "import sys; from pathlib import Path; from softix_proxy.exports.reporting.atomic_file import publishing\n"
    code += "with publishing(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdin is not None and other.stdout.readline() == b"in\n"
    third = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert third.stdout is not None and third.stdin is not None
    os.set_blocking(third.stdout.fileno(), False)
    other.kill()
    other.wait()
    os.set_blocking(third.stdout.fileno(), True)
    assert third.stdout.readline() == b"in\n"
    third.communicate(timeout=30)
    with publishing(tmp_path):
        pass


def test_atomic_export_that_is_resumable_continues_after_a_failure(tmp_path: Path) -> None:
    out, form = tmp_path / "a.csv", RowForm("", "\n")
    with pytest.raises(RuntimeError), AtomicExport(out, overwrite=False, form=form, resumable=True) as draft:
        assert draft.begun() is None
        draft.write(b"row_id,x\n1,2\n2,2\n3,")
        raise RuntimeError
    assert names(tmp_path) == {"a.csv.partial"}
    with AtomicExport(out, overwrite=False, form=form) as draft:
        assert draft.begun() is None, "unless it is asked for"
    with AtomicExport(out, overwrite=False, form=form, resumable=True) as draft:
        left = draft.begun()
        assert left == Begun(size_bytes=17, rows=2, first_id=1, last_id=2)
        draft.go_on(left)
        draft.write(b"3,2\n")
        publish(draft)
    assert out.read_bytes() == b"row_id,x\n1,2\n2,2\n3,2\n"
    assert json.loads((tmp_path / "a.csv.0003.manifest.json").read_bytes())["body"]["files"] == [
        of_file(out, "a.csv", form).fields()
    ]


def test_export_is_for_its_owner_alone_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with AtomicExport(tmp_path / "new" / "out", overwrite=False, in_folder=True) as export:
            export.write(b"a", "one.csv")
            export.write(b"b", "two.csv")
            export.entries()
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new" / "out").iterdir()}
            assert modes == {"one.csv.partial": 0o600, "two.csv.partial": 0o600}
            assert stat.S_IMODE((tmp_path / "new" / "out").stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_export_whose_partial_file_is_a_link_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"kept")
    (tmp_path / "out.csv.partial").symlink_to(other)
    with (
        pytest.raises(FailureError, match="cannot write"),
        AtomicExport(tmp_path / "out.csv", overwrite=True) as export,
    ):
        export.write(b"new")
    assert other.read_bytes() == b"kept"
