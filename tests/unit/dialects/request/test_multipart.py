from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.dialects.request.multipart import FormFields, MultipartForm, boundary_of, content_type_of
from softix_proxy.domain.core.errors import Code, RefusedError

WATCHED = frozenset(("model", "n", "stream"))


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--d\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--d--\r\n"


FILE = part("file", b"\r\n--e\r\n or \r\n--e and \r\n\r\n--", '; filename="a.png"')
WHOLE = form(part("model", "müde".encode()), part("prompt", b"x" * 5000), FILE, part("n", b"3"))


def read(body: bytes, cuts: tuple[int, ...] = ()) -> MultipartForm:
    found = MultipartForm(b"d", WATCHED)
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        found.feed(body[start:end])
    return found


@given(st.sets(st.integers(1, len(WHOLE) - 1), max_size=30))
def test_multipart_form_with_split_input_has_the_same_parts(cuts: set[int]) -> None:
    found = read(WHOLE, tuple(sorted(cuts)))
    assert found.complete and found.has_file
    assert {name: text.value for name, text in found.texts.items()} == {"model": "müde".encode(), "n": b"3"}
    for text in found.texts.values():
        assert WHOLE[text.start :].startswith(text.value)


def test_multipart_form_fed_byte_by_byte_is_complete() -> None:
    assert read(WHOLE, tuple(range(1, len(WHOLE)))).complete


def test_multipart_form_with_an_unfinished_file_has_the_parts_before_it() -> None:
    found = read(WHOLE[: WHOLE.index(b" or ")])
    assert found.has_file and not found.complete and set(found.texts) == {"model"}


def test_multipart_form_with_a_watched_part_after_the_files_is_refused() -> None:
    found = MultipartForm(b"d", WATCHED)
    found.feed(WHOLE[:-40])
    found.close()
    with pytest.raises(RefusedError, match="before the files"):
        found.feed(WHOLE[-40:])


HEAD = 'Content-Disposition: form-data; name="model"'


@pytest.mark.parametrize(
    "body",
    [
        b"preamble\r\n" + WHOLE,
        b"\r\n" + WHOLE,
        WHOLE + b"epilogue",
        WHOLE.replace(b"\r\n", b"\n"),
        form(part("model", b"a"), part("model", b"b")),
        form(part("MODEL", b"a")),
        form(part("model", b"a", '; filename="a"')),
        form(part("mo\\del", b"a")),
        form(part('a"; name="model', b"a")),
        f"--d\r\n{HEAD}; name*=utf-8''other\r\n\r\na\r\n--d--\r\n".encode(),
        f'--d\r\n{HEAD}\r\nContent-Disposition: form-data; name="x"\r\n\r\na\r\n--d--\r\n'.encode(),
        f"--d\r\n{HEAD}\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--d--\r\n".encode(),
        f"--d\r\n{HEAD}\r\n folded\r\n\r\na\r\n--d--\r\n".encode(),
        b"--d\r\nContent-Type: text/plain\r\n\r\na\r\n--d--\r\n",
        b"--d  \r\n" + WHOLE[5:],
        WHOLE.replace(b"\r\n--d--", b"\r\n--dx"),
        part("a", b"") * 300,
        b"--d\r\n" + b"x" * 10_000,
        form(part("model", b"x" * 300_000)),
    ],
)
def test_multipart_form_with_ambiguous_syntax_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError):
        read(body)


@pytest.mark.parametrize(
    "more",
    ['; filename="a b;.png"', ';filename="a"', "; filename=\"a\"; filename*=UTF-8''%C3%A9.png"],
)
def test_multipart_form_with_unusual_file_names_has_a_file(more: str) -> None:
    assert read(form(part("file", b"a", more), part("model", b"m"))).has_file


@pytest.mark.parametrize(
    ("text", "boundary"),
    [
        ("multipart/form-data; boundary=d", b"d"),
        ('Multipart/Form-Data;boundary="----WebKit.1"', b"----WebKit.1"),
        ("multipart/form-data; boundary=d; charset=x", None),
        ("multipart/form-data; boundary=a; boundary=b", None),
        ('multipart/form-data; boundary="a b"', None),
        ("multipart/mixed; boundary=d", None),
        ("application/json", None),
        ("", None),
    ],
)
def test_boundary_of_a_content_type_is_read_or_refused(text: str, boundary: bytes | None) -> None:
    if boundary is None:
        with pytest.raises(RefusedError):
            boundary_of(text)
    else:
        assert boundary_of(text) == boundary


def test_form_fields_after_a_replacement_have_the_new_values() -> None:
    fields = FormFields(WHOLE, WATCHED)
    assert (fields.text("model"), fields.count("n"), fields.flag("stream")) == ("müde", 3, False)
    changed = FormFields(fields.replaced({"model": "another", "n": "1"}), WATCHED)
    assert (changed.text("model"), changed.count("n")) == ("another", 1)
    assert fields.replaced({"model": "müde"}) == WHOLE
    start = WHOLE[: WHOLE.index(b" or ")]
    assert FormFields(start, WATCHED).replaced({"model": "x"}) == start.replace("müde".encode(), b"x")


WRONG: Mapping[str, bytes] = {"model": b"\xff", "n": b"0", "stream": b"perhaps"}


@pytest.mark.parametrize("name", WRONG)
def test_form_field_with_a_value_of_another_type_is_refused_with_its_name(name: str) -> None:
    fields = FormFields(form(part(name, WRONG[name])), WATCHED)
    with pytest.raises(RefusedError, match=f"`{name}`"):
        {"model": fields.text, "n": fields.count, "stream": fields.flag}[name](name)


def test_form_fields_with_a_body_that_is_no_form_are_refused() -> None:
    with pytest.raises(RefusedError):
        FormFields(b'{"model":"m"}', WATCHED)


def test_multipart_form_names_its_other_parts_without_brackets() -> None:
    found = FormFields(form(part("model", b"m"), part("include[]", b"x"), part("chunking[type]", b"y"), FILE), WATCHED)
    assert found.others == ["include", "chunking", "file"]
    assert found.has("model") and not found.has("n")
    assert found.has_any(frozenset(("n", "model"))) and not found.has_any(frozenset(("n",)))


@pytest.mark.parametrize(
    ("charset", "code"),
    [("utf-7", Code.UNSUPPORTED_MEDIA_TYPE), ("utf-16", Code.UNSUPPORTED_MEDIA_TYPE), ("utf-8", None)],
)
def test_multipart_form_with_a_part_in_another_charset_is_refused(charset: str, code: Code | None) -> None:
    body = form(part("model", b"m", f"\r\nContent-Type: text/plain; charset={charset}"))
    if code is None:
        assert FormFields(body, WATCHED).text("model") == "m"
        return
    with pytest.raises(RefusedError) as refused:
        FormFields(body, WATCHED)
    assert refused.value.code is code


@pytest.mark.parametrize("name", ["_charset_", "_CHARSET_"])
def test_multipart_form_that_declares_a_charset_for_its_parts_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="UTF-8"):
        read(form(part(name, b"utf-7"), part("model", b"m")))


@pytest.mark.parametrize(
    ("boundary", "content_type"),
    [
        ("d", "multipart/form-data; boundary=d"),
        ("----x'+_.-9", "multipart/form-data; boundary=----x'+_.-9"),
        ("a:b/c", 'multipart/form-data; boundary="a:b/c"'),
    ],
)
def test_content_type_of_a_form_has_the_boundary_by_which_it_was_read(boundary: str, content_type: str) -> None:
    body = WHOLE.replace(b"--d\r\n", f"--{boundary}\r\n".encode())
    assert content_type_of(body) == content_type
    assert boundary_of(content_type) == boundary.encode()


@pytest.mark.parametrize(
    "name", ["file_id", "mask[file_id]", "images[0][file_id]", "file_ids[]", "voice[id]", "input_reference[file_id]"]
)
def test_multipart_form_with_a_name_of_what_the_provider_keeps_is_refused(name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(form(part("model", b"m"), part(name, b"file-1")))
    assert refused.value.code is Code.OBJECT_NOT_FOUND and "file-1" not in refused.value.message


@pytest.mark.parametrize("name", ["file", "image[]", "timestamp_granularities[]", "session_id", "prompt"])
def test_multipart_form_with_plain_names_is_read(name: str) -> None:
    assert read(form(part("model", b"m"), part(name, b"file-1"))).complete


def test_form_that_was_parsed_while_it_came_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    body = form(part("model", b"m"), part("n", b"2"), part("include[]", b"x"), FILE)
    came = read(body)
    expected = FormFields(body, WATCHED), FormFields(body, frozenset(("model",)))
    came.keep(body)

    def refuse(_self: MultipartForm, _chunk: bytes) -> None:
        raise AssertionError("the form is parsed again")

    monkeypatch.setattr(MultipartForm, "feed", refuse)
    for watched, parsed in zip((WATCHED, frozenset(("model",))), expected, strict=True):
        again = FormFields(body, watched)
        assert (again.text("model"), again.text("n"), again.file_start) == (
            parsed.text("model"),
            parsed.text("n"),
            parsed.file_start,
        )
        assert sorted(again.others) == sorted(parsed.others)
        assert again.replaced({"model": "x"}) == parsed.replaced({"model": "x"})
    with pytest.raises(AssertionError):
        FormFields(bytes(bytearray(body)), WATCHED)
    with pytest.raises(AssertionError):
        FormFields(body, WATCHED | {"more"})
