import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softix_proxy.domain.reporting.manifests import ManifestFile, RowForm
from softix_proxy.exports.reporting.fingerprints import (
    CHUNK_LINES,
    Begun,
    Fingerprint,
    begun,
    differences,
    of_file,
    row_ids,
)

CSV = RowForm("", "\r\n")
JSONL = RowForm('{"row_id":', "\n")
HEADER = b"row_id,charge"
FIRST = 1_790_000_000_000_000


def rows(count: int) -> list[bytes]:
    """With ids that leave gaps."""
    return [b"%d,%d.%02d" % (FIRST + number * 7, number, number % 100) for number in range(count)]


def text(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\r\n" for line in [HEADER, *lines])


def entry(content: bytes, form: RowForm | None = CSV) -> ManifestFile:
    fingerprint = Fingerprint(form)
    fingerprint.feed(content)
    return fingerprint.entry("a.csv")


def found(tmp_path: Path, before: bytes, after: bytes) -> list[tuple[int | None, str]]:
    told, place = entry(before), tmp_path / "a.csv"
    place.write_bytes(after)
    assert of_file(place, "a.csv", CSV).sha256 != told.sha256
    return [tuple(one) for one in differences(place, told)]  # type: ignore[misc]


@settings(deadline=None)
@given(st.integers(0, 2600), st.lists(st.integers(1, 9000), max_size=5), st.randoms())
def test_fingerprint_fed_in_any_pieces_is_the_same(count: int, sizes: list[int], chance: random.Random) -> None:
    content, at = text(rows(count)), 0
    fingerprint = Fingerprint(CSV)
    while at < len(content):
        size = chance.choice([*sizes, 5000])
        fingerprint.feed(content[at : at + size])
        at += size
    whole = entry(content)
    assert fingerprint.entry("a.csv") == whole
    assert sum(chunk.lines for chunk in whole.chunks) == count + 1
    assert all(chunk.lines <= CHUNK_LINES for chunk in whole.chunks)


def test_manifest_file_read_from_its_fields_is_equal(tmp_path: Path) -> None:
    for told in (entry(text(rows(2001))), entry(b"PAR1", None), entry(b"")):
        assert ManifestFile.of(told.fields()) == told
    place = tmp_path / "a.csv"
    place.write_bytes(text(rows(3)))
    assert of_file(place, "a.csv", CSV) == entry(text(rows(3)))


def test_row_ids_of_csv_and_json_lines_are_read() -> None:
    assert row_ids(CSV, [b"12,x", b"13,y"]) == [12, 13]
    assert row_ids(CSV, [b"12,x", b"row_id,y", b"", b"12", b",", b"1" * 30 + b","]) == [12, 0, 0, 0, 0, 0]
    assert row_ids(JSONL, [b'{"row_id":12,"x":1}', b'{"name":"x",', b"12,x"]) == [12, 0, 0]


def test_line_without_a_row_id_is_counted_with_the_row_before_it(tmp_path: Path) -> None:
    lines = rows(CHUNK_LINES)
    lines[-2] += b',"a\r\ntext, in lines\r\n"'
    before = text([*lines, *[b"%d,1" % (FIRST + 10**6 + n) for n in range(5)]])
    assert [chunk.lines for chunk in entry(before).chunks] == [CHUNK_LINES + 2, 6]
    [(row_id, _)] = found(tmp_path, before, before.replace(b"999.99", b"999.98"))
    assert row_id == FIRST + 999 * 7


@pytest.mark.parametrize("number", [0, 1, 997, 998, 999, 1000, 2499])
def test_differences_with_one_changed_row_name_it(tmp_path: Path, number: int) -> None:
    """Changed, removed, doubled, or given another id."""
    lines = rows(2500)
    row_id = FIRST + number * 7
    changed, without, doubled = list(lines), list(lines), list(lines)
    changed[number] += b"1"
    del without[number]
    doubled.insert(number, lines[number])
    before = text(lines)
    assert found(tmp_path, before, text(changed)) == [(row_id, f"row {row_id} was changed")]
    assert found(tmp_path, before, text(without)) == [(row_id, f"row {row_id} was removed")]
    assert found(tmp_path, before, text(doubled)) == [(row_id, f"row {row_id} was added")]
    changed[number] = b"1" + lines[number]
    told = found(tmp_path, before, text(changed))
    assert (row_id, f"row {row_id} was removed") in told and "added" in told[-1][1]


def test_differences_with_an_inserted_row_name_it(tmp_path: Path) -> None:
    lines = rows(2500)
    new = FIRST + 1200 * 7 + 3
    for place, number in ((1201, new), (2500, FIRST + 10**9)):
        with_new = [*lines[:place], b"%d,9.99" % number, *lines[place:]]
        assert found(tmp_path, text(lines), text(with_new)) == [(number, f"row {number} was added")]


def test_differences_with_one_changed_row_in_several_chunks_name_each(tmp_path: Path) -> None:
    lines = rows(5000)
    changed = [line + b"7" if number in (5, 1500, 4999) else line for number, line in enumerate(lines)]
    assert [row for row, _ in found(tmp_path, text(lines), text(changed))] == [FIRST + n * 7 for n in (5, 1500, 4999)]


def test_differences_with_several_changed_rows_in_one_chunk_name_the_range(tmp_path: Path) -> None:
    lines = rows(1500)
    changed = [line + b"7" if number in (5, 50) else line for number, line in enumerate(lines)]
    last = FIRST + 998 * 7
    assert found(tmp_path, text(lines), text(changed)) == [
        (None, f"rows after 0 up to {last}: more than one was changed")
    ]
    assert found(tmp_path, text(lines), text(lines[10:])) == [
        (None, f"rows after 0 up to {last}: 10 lines are missing")
    ]
    assert found(tmp_path, text(lines), text(lines[:999]))[0][1].endswith("501 lines are missing")


def test_differences_with_another_order_of_rows_report_it(tmp_path: Path) -> None:
    lines = rows(2500)
    swapped = [*lines[:5], lines[6], lines[5], *lines[7:]]
    assert found(tmp_path, text(lines), text(swapped))[0][1].endswith("their order is another")
    moved = [*lines[:998], *lines[999:1500], lines[998], *lines[1500:]]
    assert found(tmp_path, text(lines), text(moved)) == [(FIRST + 998 * 7, f"row {FIRST + 998 * 7} was moved")]


def test_differences_outside_the_rows_report_that_no_row_changed(tmp_path: Path) -> None:
    before = text(rows(2500))
    assert "no row was changed" in found(tmp_path, before, before.replace(HEADER, b"row_id,cost"))[0][1]
    assert "no row was removed" in found(tmp_path, before, before.removeprefix(HEADER + b"\r\n"))[0][1]
    assert "not in its rows" in found(tmp_path, before, before.removesuffix(b"\r\n"))[0][1]
    assert found(tmp_path, before, b"")[-1][1].endswith("lines are missing")
    many = rows(120 * CHUNK_LINES)
    told = found(tmp_path, text(many), text([line + b"1" for line in many]))
    assert len(told) == 51 and "70 more places" not in told[-1][1] and "more places" in told[-1][1]


def test_differences_without_a_row_form_report_only_that_the_file_changed(tmp_path: Path) -> None:
    place = tmp_path / "a.parquet"
    place.write_bytes(b"PAR2")
    assert list(differences(place, entry(b"PAR1", None))) == [(None, "was changed")]


@pytest.mark.parametrize("cut_bytes", [0, 1, 3])
def test_begun_with_complete_or_truncated_rows_ends_before_the_last_row(tmp_path: Path, cut_bytes: int) -> None:
    """Whether that one is whole cannot be known: a text may have a line end in it."""
    place, content = tmp_path / "a", text(rows(5))
    place.write_bytes(content[: len(content) - cut_bytes])
    left = begun(place, CSV)
    assert left == Begun(len(text(rows(4))), 4, FIRST, FIRST + 21)


@pytest.mark.parametrize("content", [b"", HEADER, text([]), text(rows(1)), b"nothing of ours"])
def test_begun_without_a_complete_row_returns_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert begun(tmp_path / "a", CSV) is None
