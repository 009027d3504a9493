"""A large value is found to begin and end where msgspec finds it, whatever it holds and wherever it is cut."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Generator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softix_proxy.dialects.request import scan
from softix_proxy.dialects.request.scan import PIECE_BYTES, ByteSpan, Scanned, elements, finished, members, scanned

MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
TEXTS = st.text(st.sampled_from('ab"\\\n\u00e9\u20ac\U0001f600[]{},: 0'), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=6),
    max_leaves=40,
)
DIFFERENT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)


@pytest.fixture
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that a value of a test has many of them."""
    monkeypatch.setattr(scan, "PIECE_BYTES", 3001)
    monkeypatch.setattr(scan, "_FIRST_BYTES", 97)


def found_in(body: bytes) -> dict[str, bytes]:
    return {name: body[start:end] for name, (start, end) in finished(members(body, 1000))}


def as_msgspec(body: bytes) -> dict[str, bytes]:
    return {name: bytes(value) for name, value in MEMBERS.decode(body).items()}


@pytest.mark.usefixtures("_small_pieces")
@given(st.lists(VALUES, max_size=4), st.integers(1, 60), st.booleans(), st.sampled_from([None, 1]))
@DIFFERENT
def test_members_of_any_object_are_those_that_msgspec_finds(
    values: list[object], times: int, escape: bool, indent: int | None
) -> None:
    whole = {str(number): [value] * times for number, value in enumerate(values)} | {"last": "x" * 97 * times}
    body = json.dumps(whole, ensure_ascii=escape, indent=indent).encode()
    assert found_in(body) == as_msgspec(body)


@pytest.mark.usefixtures("_small_pieces")
@given(VALUES, st.integers(1, 60), st.booleans())
@DIFFERENT
def test_elements_of_any_list_are_those_that_msgspec_finds(value: object, times: int, escape: bool) -> None:
    body = json.dumps([[value] * times, value, *[value] * times], ensure_ascii=escape).encode()
    spans = finished(elements(body, 1000))
    assert spans is not None
    assert [body[start:end] for start, end in spans] == [bytes(each) for each in ELEMENTS.decode(body)]


@pytest.mark.usefixtures("_small_pieces")
@given(VALUES, st.integers(1, 60), st.data())
@DIFFERENT
def test_damaged_object_is_refused_if_msgspec_refuses_it(value: object, times: int, data: st.DataObject) -> None:
    body = bytearray(json.dumps({"a": [value] * times, "b": {"c": value}}).encode())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at : at + data.draw(st.integers(0, 1))] = data.draw(
        st.sampled_from([b"", b'"', b"\\", b"[", b"}", b",", b"x"])
    )
    try:
        expected = as_msgspec(bytes(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        with pytest.raises(ValueError):
            found_in(bytes(body))
    else:
        assert found_in(bytes(body)) == expected


DENSE = {
    "zeros": b"0,",
    "lists": b"[],",
    "texts": b'"",',
    "objects": b"{},",
    "nested": b"[[[[[0]]]]],",
    "members": b'{"a":{"b":[0,{}]}},',
    "escapes": b'"\\\\\\"\\n",',
    "letters": b'"\\ud83d\\ude00 \\u00e9",',
}


def dense(unit: bytes, size: int = 4_000_000) -> bytes:
    return b'{"a":[' + unit * (size // len(unit)) + b'0],"model":"m"}'


@pytest.mark.parametrize("unit", DENSE.values(), ids=list(DENSE))
def test_scan_of_a_dense_body_takes_memory_for_one_piece(unit: bytes) -> None:
    body = dense(unit)
    tracemalloc.start()
    try:
        found = finished(members(body, 1000))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [name for name, _ in found] == ["a", "model"]
    assert peak_bytes < 100 * PIECE_BYTES


def test_scan_of_a_large_text_takes_steps_of_one_piece() -> None:
    body = b'{"a":"' + b"x" * (20 * PIECE_BYTES) + b'"}'
    assert sum(1 for _ in members(body, 1000)) in (19, 20, 21)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"a"}',
        b'{"a":1',
        b'{"a":1,}',
        b'{"a":1}x',
        b'{"a":1 "b":2}',
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":NaN}',
        b'{"a":"\x01"}',
        b'{"\\ud800":1}',
        b'{"a":' + b"[" * 300_000 + b"]" * 300_000 + b"}",
        b'{"a":' + b" " * 300_000 + b"1}",
        b'{"' + b"a" * 300_000 + b'":1}',
        b'{"a":[' + b"0," * 300_000 + b"]}",
        b'{"a":[' + b"0," * 300_000 + b"0}",
        b'{"a":"' + b"x" * 300_000,
        b'{"a":[' + b"0," * 300_000 + b"0]]}",
    ],
)
def test_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        finished(members(body, 1000))


def test_object_with_more_members_than_allowed_is_refused() -> None:
    body = json.dumps(dict.fromkeys(map(str, range(11)))).encode()
    assert len(finished(members(body, 11))) == 11
    with pytest.raises(ValueError, match=r"^$"):
        finished(members(body, 10))


@pytest.mark.parametrize(("body", "found"), [(b"[]", []), (b"[1, 2]", [ByteSpan(1, 2), ByteSpan(4, 5)]), (b"{}", None)])
def test_elements_of_a_list_are_found_and_of_anything_else_are_not(body: bytes, found: list[ByteSpan] | None) -> None:
    assert finished(elements(body, 2)) == found


def test_elements_of_a_list_with_too_many_are_not_looked_for_to_its_end() -> None:
    body = b"[" + b"0," * 1_000_000 + b"nonsense"
    assert finished(elements(body, 100)) is None


def test_scanned_body_is_known_by_itself_for_as_long_as_the_scan_is_kept() -> None:
    body, same = (b'{"a":%d}' % number for number in (1, 1))
    kept: Scanned | None = Scanned(body, [], {})
    assert scanned(body) is kept and scanned(same) is None
    kept = None
    assert scanned(body) is None


def test_finished_returns_what_the_steps_return() -> None:
    def take() -> Generator[None, None, int]:
        yield
        yield
        return 5

    assert finished(take()) == 5
