"""Makes the fingerprint of a file for its manifest, and finds with it the row of a file that was changed.

The hash of the whole file proves a change. If the lines of a file are rows, each thousand of them also has a hash and
two sums, which find the row. Let c be a line's checksum and r its row's id. If one line of a thousand was changed,
removed or added, the sum of c differs by some d, and the sum of r·c differs by r·d.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import sha256
from operator import mul
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zlib import crc32

from softix_proxy.domain.reporting.manifests import ManifestChunk, ManifestFile, RowForm

CHUNK_LINES = 1000
_READ_BYTES = 1 << 20
_HASH_DIGITS, _ID_DIGITS = 32, 20
_MOST_CHUNKS = 50
"""The most differing chunks that are searched."""


class Fingerprint:
    """Calculates the fingerprint from the bytes of a file as they are written or read."""

    def __init__(self, form: RowForm | None) -> None:
        self._form = form
        self._whole = sha256()
        self._size_bytes = 0
        self._rest = b""
        self._lines: list[bytes] = []
        self._ids: list[int] = []
        self._chunks: list[ManifestChunk] = []

    def feed(self, text: bytes) -> None:
        self._whole.update(text)
        self._size_bytes += len(text)
        if self._form is not None:
            *lines, self._rest = (self._rest + text).split(self._form.end.encode())
            self._take(self._form, lines)
            self._cut(self._form, CHUNK_LINES)

    def entry(self, name: str) -> ManifestFile:
        """Returns the manifest's entry for the file. It is called at the end of the file."""
        if self._form is not None:
            self._take(self._form, [self._rest] if self._rest else [])
            self._rest = b""
            self._cut(self._form, 1)
        return ManifestFile(name, self._size_bytes, self._whole.hexdigest(), self._form, tuple(self._chunks))

    def _take(self, form: RowForm, lines: Sequence[bytes]) -> None:
        self._lines += lines
        self._ids += row_ids(form, lines)

    def _cut(self, form: RowForm, least: int) -> None:
        """Makes chunks while at least that many lines are left.

        Each chunk ends before a row, so that a line that is not a row stays with the row before it.
        """
        lines, ids, at = self._lines, self._ids, 0
        while len(ids) - at >= least:
            end = min(at + CHUNK_LINES, len(ids))
            while end < len(ids) and not ids[end]:
                end += 1
            if end == len(ids) and least > 1:
                break  # the next line may not be a row
            self._chunks.append(_chunk(form, lines[at:end], ids[at:end]))
            at = end
        del lines[:at], ids[:at]


def of_file(path: Path, name: str, form: RowForm | None) -> ManifestFile:
    fingerprint = Fingerprint(form)
    with path.open("rb") as file:
        while text := file.read(_READ_BYTES):
            fingerprint.feed(text)
    return fingerprint.entry(name)


def row_ids(form: RowForm, lines: Sequence[bytes]) -> list[int]:
    """Returns the row id of each line. It is 0 for a header, and for a line that follows a line end within a text."""
    start = len(form.before_id.encode())
    end = start + _ID_DIGITS
    try:
        return [int(line[start : line.index(b",", start, end)]) for line in lines]
    except ValueError:
        return [0] if len(lines) == 1 else [row_id for line in lines for row_id in row_ids(form, (line,))]


def _chunk(form: RowForm, lines: Sequence[bytes], ids: Sequence[int]) -> ManifestChunk:
    checksums = list(map(crc32, lines))
    digest = sha256(form.end.encode().join(lines)).hexdigest()[:_HASH_DIGITS]
    return ManifestChunk(max(ids), len(lines), digest, sum(checksums), sum(map(mul, ids, checksums)))


class Begun(NamedTuple):
    """The beginning of an unfinished file, without its last row, which may be cut."""

    size_bytes: int
    rows: int
    first_id: int
    last_id: int


def begun(path: Path, form: RowForm) -> Begun | None:
    """Returns the beginning that is complete, or None if there is not even one whole row."""
    ids: list[int] = []  # holds the first id and the last two
    size_bytes = rows = at = 0
    with path.open("rb") as file:
        for lines in _lines(file, form.end.encode()):
            for row_id, line in zip(row_ids(form, lines), lines, strict=True):
                if row_id:
                    ids = [*ids[:1], *ids[-1:], row_id] if ids else [row_id]
                    size_bytes, rows = at, rows + 1
                at += len(line) + len(form.end)
    return Begun(size_bytes, rows - 1, ids[0], ids[-2]) if rows > 1 else None


class Difference(NamedTuple):
    row_id: int | None
    """None if the difference is not in one row."""
    detail: str


def differences(path: Path, told: ManifestFile) -> Iterator[Difference]:
    """Yields the differences between a file and its manifest.

    There is always at least one, so call it only if the file's hash differs.
    """
    form, chunks = told.form, told.chunks
    if form is None or not chunks:
        yield Difference(None, "was changed")
        return
    tallies, moved, last_id = [_Tally() for _ in range(len(chunks) + 1)], 0, 0
    for number, row_id, line in _assigned(path, form, chunks):
        tallies[number].add(form.end, row_id, line)
        moved = moved or (row_id if 0 < row_id <= last_id else 0)
        last_id = row_id or last_id
    bad = [number for number, tally in enumerate(tallies) if not tally.is_as_told(chunks[number : number + 1])]
    looked_into = bad[:_MOST_CHUNKS]
    present: dict[int, set[int]] = {number: set() for number in looked_into}
    for number, row_id, _ in _assigned(path, form, chunks):
        if number in present:
            present[number].add(row_id)
    for number in looked_into:
        yield from _in_chunk(chunks, number, tallies[number], present[number] - {0})
    if len(bad) > len(looked_into):
        yield Difference(None, f"was changed in {len(bad) - len(looked_into)} more places, of {CHUNK_LINES} rows each")
    if not bad:
        detail = (
            f"row {moved} was moved" if moved else "was changed, though not in its rows: line ends, or what is around"
        )
        yield Difference(moved or None, detail)


class _Tally:
    """The counts and sums of a file's rows in one chunk."""

    def __init__(self) -> None:
        self.lines = self.checksum = self.weighted = 0
        self._digest = sha256()

    def add(self, end: str, row_id: int, line: bytes) -> None:
        checksum = crc32(line)
        self._digest.update(end.encode() + line if self.lines else line)
        self.lines += 1
        self.checksum += checksum
        self.weighted += row_id * checksum

    def is_as_told(self, told: Sequence[ManifestChunk]) -> bool:
        """Compares the rows with the chunk of the manifest. Without a chunk there should be no lines."""
        return self._digest.hexdigest()[:_HASH_DIGITS] == told[0].sha256 if told else not self.lines


def _in_chunk(chunks: Sequence[ManifestChunk], number: int, found: _Tally, present: set[int]) -> Iterator[Difference]:
    after = chunks[number - 1].last_id if number else 0
    if number == len(chunks):
        yield from (Difference(row_id, f"row {row_id} was added") for row_id in sorted(present)[:CHUNK_LINES])
        if found.lines > len(present):
            yield Difference(None, f"{found.lines - len(present)} lines were added after row {after}")
        return
    told = chunks[number]
    more, checksum, weighted = (
        found.lines - told.lines,
        found.checksum - told.checksum,
        found.weighted - told.weighted,
    )
    row_id, rest = divmod(weighted, checksum) if checksum else (-1, 0)
    verb = {-1: "removed", 0: "changed", 1: "added"}.get(more, "")
    if verb and not rest and row_id == 0 and (checksum or weighted):
        yield Difference(None, f"a line that is no row was {verb}, near row {min(present, default=after)}")
    elif verb and not rest and after < row_id <= told.last_id and (row_id in present) == (more >= 0):
        yield Difference(row_id, f"row {row_id} was {verb}")
    else:
        what = f"{abs(more)} lines are {'too many' if more > 0 else 'missing'}" if more else "more than one was changed"
        what = "their order is another" if not (more or checksum or weighted) else what
        yield Difference(None, f"rows after {after} up to {told.last_id}: {what}")


def _assigned(path: Path, form: RowForm, chunks: Sequence[ManifestChunk]) -> Iterator[tuple[int, int, bytes]]:
    """Yields (number of the chunk, row id or 0, line) for each line. Lines after all chunks have the next number."""
    lasts, number = [chunk.last_id for chunk in chunks], 0
    with path.open("rb") as file:
        for lines in _lines(file, form.end.encode()):
            for row_id, line in zip(row_ids(form, lines), lines, strict=True):
                number = bisect_left(lasts, row_id) if row_id else number
                yield number, row_id, line


def _lines(file: BinaryIO, end: bytes) -> Iterator[Sequence[bytes]]:
    rest = b""
    while text := file.read(_READ_BYTES):
        *lines, rest = (rest + text).split(end)
        yield lines
    if rest:
        yield [rest]
