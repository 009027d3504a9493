"""Reads a multipart form while it passes: keeps short texts and does not keep files.

softix must read the same values as the provider. So it accepts only the plain form: one delimiter from the first byte
to the last, simple names, and no encodings of parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakValueDictionary

from softix_proxy.dialects.request.charsets import require_utf8
from softix_proxy.dialects.request.fields import invalid
from softix_proxy.domain.core.errors import Code, RefusedError

_BOUNDARY = re.compile(
    r'multipart/form-data; *boundary=(?P<quote>"?)(?P<boundary>[A-Za-z0-9\'()+_,./:=?-]{1,70})(?P=quote)', re.IGNORECASE
)
_DELIMITER = re.compile(rb"--([A-Za-z0-9'()+_,./:=?-]{1,70})\r\n")
_DISPOSITION = re.compile(
    rb'form-data; *name="([A-Za-z0-9_.\[\]-]{1,100})"((?:; *filename(?:="[^"\r\n]*"|\*=[^";\r\n]+))*)', re.IGNORECASE
)
_PLAIN_HEADERS = frozenset((b"content-disposition", b"content-type", b"content-length", b"content-transfer-encoding"))
_DECLARES_CHARSET = "_charset_"
"""The part by which HTML forms name the charset of all others."""
_TOKEN = re.compile(rb"[A-Za-z0-9'+_.-]+")
_PLAIN_ENCODINGS = (b"binary", b"8bit", b"7bit")
_MOST_HEAD_BYTES = 4 * 1024
_MOST_TEXT_BYTES = 256 * 1024
_MOST_PARTS = 200
_SLICE_BYTES = 64 * 1024
_MALFORMED = "The form is not written as softix can read it: plain parts, each with a name, and nothing between them."


def boundary_of(content_type: str) -> bytes:
    """Returns the delimiter. Raises RefusedError if this is no form or if its delimiter is not plain."""
    match = _BOUNDARY.fullmatch(content_type.strip())
    if match is None:
        raise invalid("Send a form: `Content-Type: multipart/form-data; boundary=…`.")
    return match["boundary"].encode()


def content_type_of(body: bytes) -> str:
    """Returns softix's own content type of a form that was read before, with the delimiter that it was read by."""
    match = _DELIMITER.match(body)
    boundary = b"" if match is None else match[1]
    quote = "" if _TOKEN.fullmatch(boundary) else '"'
    return f"multipart/form-data; boundary={quote}{boundary.decode()}{quote}"


class FormText(NamedTuple):
    value: bytes
    start: int
    """The position in the form at which the text begins."""


class MultipartForm:
    """A parser of a form. `feed` takes the form in pieces that are split anywhere."""

    def __init__(self, boundary: bytes, watched: frozenset[str]) -> None:
        self.texts: dict[str, FormText] = {}
        """The watched texts that have come so far."""
        self.others: list[str] = []
        """The names of the other parts, without the brackets by which a list is written in a form."""
        self.has_file = False
        """Whether a file has begun. Then much data may follow."""
        self.complete = False
        self.file_at: int | None = None
        """The position in the form at which the first file begins."""
        self._closed = False
        self.watched = watched
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # The first delimiter is at the very start of the form.
        self._at = -2
        """The position in the form at which the buffer begins."""
        self._step = self._preamble
        self._name = ""
        self._is_file = False
        self._parts = 0
        self.body = b""
        """The whole form, if it is known to be in one piece."""

    def close(self) -> None:
        """Forbids watched parts from now on: the decisions that depend on them have been made."""
        self._closed = True

    def keep(self, body: bytes) -> None:
        """Notes that this is the form of the body, which it was fed. Readers of the body then do not parse it again.

        It has to be kept for as long as the body is read, and let go of together with it.
        """
        self.body = body
        _PARSED[id(body)] = self

    def feed(self, chunk: bytes | memoryview) -> None:
        """Parses the next piece of the form. Raises RefusedError if the form is not valid."""
        self._buffer += chunk
        while self._step():
            pass

    def _drop(self, length: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:length])
        del self._buffer[:length]
        self._at += length
        return taken

    def _preamble(self) -> bool:
        if len(self._buffer) < len(self._delimiter):
            if not self._delimiter.startswith(self._buffer):
                raise invalid(_MALFORMED)
            return False
        if not self._buffer.startswith(self._delimiter):
            raise invalid(_MALFORMED)
        self._drop(len(self._delimiter))
        self._step = self._between
        return True

    def _between(self) -> bool:
        """Reads the mark after a delimiter: the next part begins, or the form ends."""
        if len(self._buffer) < 2:
            return False
        mark = self._drop(2)
        if mark == b"\r\n":
            self._step = self._head
        elif mark == b"--":
            self.complete, self._step = True, self._epilogue
        else:
            raise invalid(_MALFORMED)
        return True

    def _epilogue(self) -> bool:
        if not b"\r\n".startswith(self._buffer):
            raise invalid(_MALFORMED)
        return False

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", 0, _MOST_HEAD_BYTES)
        if end < 0:
            if len(self._buffer) >= _MOST_HEAD_BYTES:
                raise invalid(_MALFORMED)
            return False
        self._parts += 1
        self._name, self._is_file = _disposition(self._drop(end + 4)[:-4])
        self.has_file = self.has_file or self._is_file
        if self._is_file and self.file_at is None:
            self.file_at = self._at
        self._check_name()
        self._step = self._body
        return True

    def _check_name(self) -> None:
        name = self._name
        if name.casefold() == _DECLARES_CHARSET:
            raise invalid("The form names a charset for its parts. Send them in UTF-8, without that part.")
        if self._parts > _MOST_PARTS:
            raise invalid(f"The form has more than {_MOST_PARTS} parts.")
        if name not in self.watched:
            if name.casefold() in self.watched:
                raise invalid(f"The form spells `{name.casefold()}` in another way.")
            self.others.append(name.partition("[")[0])
            if not self._is_file and _names_kept(name):
                raise RefusedError(Code.OBJECT_NOT_FOUND, _NO_NAMES)
            return
        if name in self.texts or self._is_file:
            raise invalid(f"The form has `{name}` twice, or as a file.")
        if self._closed:
            raise invalid(f"`{name}` has to stand before the files of the form.")

    def _body(self) -> bool:
        end = self._buffer.find(self._delimiter)
        keeps = self._name in self.watched
        if keeps and (len(self._buffer) if end < 0 else end) > _MOST_TEXT_BYTES:
            raise invalid(f"`{self._name}` is too long.")
        if end < 0:
            if not keeps:
                self._drop(max(len(self._buffer) - len(self._delimiter) + 1, 0))
            return False
        start = self._at
        value = self._drop(end)
        if keeps:
            self.texts[self._name] = FormText(value, start)
        self._drop(len(self._delimiter))
        self._step = self._between
        return True


_NO_NAMES = "A form cannot name what the provider keeps here. Send the file itself."
_IDS = frozenset(("id", "ids"))
_KEPT = frozenset(("container", "file", "image", "images", "mask", "part", "reference", "response", "video", "voice"))


def _names_kept(name: str) -> bool:
    """Returns whether a text of this name is the id of something that the provider keeps, as in `mask[file_id]`."""
    words = re.findall(r"[a-z]+", name.casefold())
    return bool(words) and words[-1] in _IDS and not _KEPT.isdisjoint(words)


def _disposition(head: bytes) -> tuple[str, bool]:
    """Returns the name of a part, and whether it is a file."""
    found = None
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() not in _PLAIN_HEADERS:
            raise invalid(_MALFORMED)
        if name.lower() == b"content-transfer-encoding" and value.strip().lower() not in _PLAIN_ENCODINGS:
            raise invalid(_MALFORMED)
        if name.lower() == b"content-type":
            require_utf8(value.decode("latin-1"), "A part of the form")
        if name.lower() == b"content-disposition":
            match = _DISPOSITION.fullmatch(value.strip())
            if match is None or found is not None:
                raise invalid(_MALFORMED)
            found = match
    if found is None:
        raise invalid(_MALFORMED)
    return found[1].decode(), bool(found[2])


_PARSED: WeakValueDictionary[int, MultipartForm] = WeakValueDictionary()


class FormFields:
    """The watched texts of a form. The body contains at least everything up to its first file."""

    def __init__(self, body: bytes, watched: frozenset[str]) -> None:
        """Raises RefusedError if the form is not valid."""
        match = _DELIMITER.match(body)
        if match is None:
            raise invalid(_MALFORMED)
        self._delimiter = bytes(match[0])
        form = _PARSED.get(id(body))
        if form is None or form.body is not body or not watched <= form.watched:
            form, view = MultipartForm(bytes(match[1]), watched), memoryview(body)
            for start in range(0, len(body), _SLICE_BYTES):
                form.feed(view[start : start + _SLICE_BYTES])
        self._body, self._file_at = body, form.file_at
        self._texts = {name: text for name, text in form.texts.items() if name in watched}
        self.others = [*form.others, *(name for name in form.texts if name not in watched)]

    def has(self, name: str) -> bool:
        """Returns whether the form has this text, and it is not empty."""
        found = self._texts.get(name)
        return found is not None and bool(found.value)

    def has_any(self, names: frozenset[str]) -> bool:
        return any(self.has(name) for name in names.intersection(self._texts))

    @property
    def file_start(self) -> bytes:
        """The first bytes of the first file, as far as the body has them."""
        return b"" if self._file_at is None else self._body[self._file_at : self._file_at + _SLICE_BYTES]

    def text(self, name: str) -> str | None:
        found = self._texts.get(name)
        try:
            return None if found is None else found.value.decode()
        except UnicodeDecodeError:
            raise self._wrong(name, "text in UTF-8") from None

    def flag(self, name: str) -> bool:
        text = self.text(name)
        if text not in (None, "", "true", "false", "True", "False", "0", "1"):
            raise self._wrong(name, "true or false")
        return text in ("true", "True", "1")

    def count(self, name: str, least: int = 1) -> int | None:
        text = self.text(name)
        if not text:
            return None
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < least:
            raise self._wrong(name, f"a whole number from {least} on")
        return int(text)

    def replaced(self, changes: Mapping[str, str]) -> bytes:
        """Returns the form with these texts changed. Each other byte stays unchanged."""
        body = self._body
        for name, value in sorted(changes.items(), key=lambda change: -self._texts[change[0]].start):
            old = self._texts[name]
            body = b"".join((body[: old.start], value.encode(), body[old.start + len(old.value) :]))
        return body

    def with_text(self, name: str, value: str) -> bytes:
        """Returns the form with this text. A text that the form did not have becomes its first part."""
        if name in self._texts:
            return self.replaced({name: value})
        head = b'%bContent-Disposition: form-data; name="%b"\r\n\r\n' % (self._delimiter, name.encode())
        return b"".join((head, value.encode(), b"\r\n", self._body))

    def _wrong(self, name: str, kind: str) -> RefusedError:
        return invalid(f"`{name}` must be {kind}.")
