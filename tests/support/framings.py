"""Ways to write one request so that two servers may disagree where it ends, and ways that are right.

What is right is RFC 9112 (HTTP/1.1) and RFC 9110 with every choice taken for safety: where the RFC lets a server either
repair a message or refuse it, softix refuses, because the proxy before it may have repaired it in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

BODY = b'{"model":"gpt-test","max_tokens":8,"messages":[{"role":"user","content":"Who else is there?"}]}'
SIZE = b"%d" % len(BODY)
LINE = b"POST /v1/chat/completions HTTP/1.1"
HOST = b"Host: softix.example"
KEY = b"@KEY@"
"""It stands for the attacker's key."""
MARK = b"@MARK@"
"""It stands for a name of this request, which reaches the provider."""
SMUGGLED = b"GET /v1/key HTTP/1.1\r\nHost: softix.example\r\nX-Api-Key: @KEY@\r\nConnection: close\r\n\r\n"
"""What follows each framing on the same connection; a server that is fooled takes it from within a body, or as one."""
CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: " + SIZE


class Framing(NamedTuple):
    name: str
    sent: bytes


def head(*fields: bytes, line: bytes = LINE, host: bytes = HOST) -> bytes:
    known = (line, host, b"X-Api-Key: " + KEY, b"X-Request-Id: " + MARK, b"Content-Type: application/json", *fields)
    return b"\r\n".join(field for field in known if field) + b"\r\n\r\n"


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end


WHOLE = chunks(BODY)


def named(kind: str, value: bytes) -> str:
    return f"{kind} {value.decode('latin-1')!r}"


RIGHT = (
    Framing("content-length", head(LENGTH) + BODY),
    Framing("content-length with spaces around it", head(b"Content-Length: \t " + SIZE + b" \t") + BODY),
    Framing("content-length in lower case", head(b"content-length:" + SIZE) + BODY),
    Framing("chunked", head(CHUNKED) + WHOLE),
    Framing("chunked in upper case", head(b"TRANSFER-ENCODING: CHUNKED") + WHOLE),
    Framing("chunks of one byte", head(CHUNKED) + chunks(*(BODY[at : at + 1] for at in range(len(BODY))))),
    Framing("chunk sizes with zeros before", head(CHUNKED) + b"000%x\r\n%b\r\n000\r\n\r\n" % (len(BODY), BODY)),
    Framing("a chunk with an extension", head(CHUNKED) + b'%x;a="b"\r\n%b\r\n0;c\r\n\r\n' % (len(BODY), BODY)),
    Framing("a trailer", head(CHUNKED) + chunks(BODY, end=b"0\r\nX-Sum: 1\r\n\r\n")),
    Framing("an empty line before the request", b"\r\n" + head(LENGTH) + BODY),
)
"""They are served, and what follows them is a request of its own."""

_CODINGS = (
    b"",
    b"identity",
    b"identity, chunked",
    b",chunked",
    b"chunked,",
    b"chunked, identity",
    b"gzip",
    b"gzip, chunked",
    b"deflate, chunked",
    b"br, chunked",
    b"chunked, gzip",
    b"chunked, chunked",
    b"chunked;q=1",
    b"xchunked",
    b"chunkedx",
    b"x chunked",
    b"chunked x",
    b"chunk",
    b'"chunked"',
    b"'chunked'",
    b"\x0bchunked",
    b"\x0cchunked",
    b"chunked\x0b",
    b"chunked\x00",
    b"\x00chunked",
    b"chu\x00nked",
    b"chunked\xa0",
    b"\xef\xbb\xbfchunked",
    b"chun\xc4\xb8ed",
    b"trailers, chunked",
)
_NAMES = (
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b" Transfer-Encoding: chunked",
    b"\tTransfer-Encoding: chunked",
    b"Transfer-Encoding\x00: chunked",
    b"\x00Transfer-Encoding: chunked",
    b"Transfer Encoding: chunked",
    b"Transfer-Encoding\x0b: chunked",
    b"\xef\xbb\xbfTransfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding\r\n: chunked",
    b"Transfer-Encoding chunked",
    b": chunked",
)


def _codings() -> Iterator[tuple[str, bytes]]:
    for value in _CODINGS:
        yield named("coding", value), head(b"Transfer-Encoding: " + value) + WHOLE
        yield named("coding beside a length", value), head(LENGTH, b"Transfer-Encoding: " + value) + BODY
    for field in _NAMES:
        yield named("field", field), head(field) + WHOLE
    yield "length before chunked", head(LENGTH, CHUNKED) + WHOLE
    yield "length after chunked", head(CHUNKED, LENGTH) + WHOLE
    yield "a length of nothing before chunked", head(b"Content-Length: 0", CHUNKED) + WHOLE
    yield "two codings, the first chunked", head(CHUNKED, b"Transfer-Encoding: identity") + WHOLE
    yield "two codings, the last chunked", head(b"Transfer-Encoding: identity", CHUNKED) + WHOLE
    yield "two codings, both chunked", head(CHUNKED, CHUNKED) + WHOLE
    yield "chunked in HTTP/1.0", head(CHUNKED, line=LINE.replace(b"1.1", b"1.0")) + WHOLE
    both = head(LENGTH, CHUNKED, line=LINE.replace(b"1.1", b"1.0"))
    yield "chunked and a length in HTTP/1.0", both + WHOLE


_LENGTHS = (
    b"",
    b"+" + SIZE,
    b"-" + SIZE,
    b"-0",
    b"0x" + SIZE,
    SIZE + b".0",
    SIZE + b"e0",
    SIZE + b"_0",
    SIZE + b" 0",
    SIZE + b",",
    SIZE + b"," + SIZE,
    SIZE + b", " + SIZE,
    SIZE + b", 0",
    SIZE + b";",
    b'"' + SIZE + b'"',
    b"\x0b" + SIZE,
    SIZE + b"\x0c",
    SIZE + b"\x00",
    b"\xd9\xa9\xd9\xa5",
    b"x",
    b"9" * 19,
    b"18446744073709551616",
    b"9" * 400,
)
_LENGTH_NAMES = (
    b"Content-Length : ",
    b"Content-Length\t: ",
    b" Content-Length: ",
    b"Content-Length\x00: ",
    b"Content Length: ",
    b"X: y\nContent-Length: ",
    b"X: y\rContent-Length: ",
    b"X: y\r\n Content-Length: ",
    b"Content-Length:\r\n ",
    b"Content-Length ",
)


def _lengths() -> Iterator[tuple[str, bytes]]:
    for value in _LENGTHS:
        yield named("length", value), head(b"Content-Length: " + value) + BODY
    for field in _LENGTH_NAMES:
        yield named("length's field", field), head(field + SIZE) + BODY
    yield "two lengths", head(LENGTH, b"Content-Length: 0") + BODY
    yield "two lengths, the first nothing", head(b"Content-Length: 0", LENGTH) + BODY
    yield "two equal lengths", head(LENGTH, LENGTH) + BODY


def _sized(size: bytes, data: bytes = BODY, after: bytes = b"\r\n", end: bytes = b"0\r\n\r\n") -> bytes:
    return head(CHUNKED) + size + b"\r\n" + data + after + end


_HEX = b"%x" % len(BODY)
_SIZES = (
    b"",
    b"0x" + _HEX,
    b"+" + _HEX,
    b"-" + _HEX,
    b"-0",
    b" " + _HEX,
    b"\t" + _HEX,
    _HEX + b"\x0b",
    _HEX + b"\x00",
    _HEX + b"_0",
    _HEX + b",",
    _HEX + b" " + _HEX,
    _HEX + b"g",
    b"g",
    b"\xef\xbb\xbf" + _HEX,
    b"f" * 15,
    b"f" * 16,
    b"1" + b"0" * 16,
    b"1" * 400,
    b"\n" + _HEX,
    b"\r\n" + _HEX,
    _HEX + b";a\nb",
    _HEX + b";a\rb",
    _HEX + b";\x00",
)


def _chunk_forms() -> Iterator[tuple[str, bytes]]:
    for size in _SIZES:
        yield named("chunk size", size), _sized(size)
    yield "a chunk size that ends in a line feed", head(CHUNKED) + _HEX + b"\n" + BODY + b"\r\n0\r\n\r\n"
    yield "a chunk size that ends in a carriage return", head(CHUNKED) + _HEX + b"\r" + BODY + b"\r\n0\r\n\r\n"
    yield "a chunk that is longer than it says", _sized(b"2")
    yield "a chunk that ends in a line feed", _sized(_HEX, after=b"\n")
    yield "a chunk that ends in nothing", _sized(_HEX, after=b"")
    yield "a chunk that ends in two bytes", _sized(_HEX, after=b"xx")
    yield "a last chunk that ends in line feeds", _sized(_HEX, end=b"0\n\n")
    yield "a last chunk with a sign", _sized(_HEX, end=b"-0\r\n\r\n")
    yield "a trailer that frames by length", _sized(_HEX, end=b"0\r\nContent-Length: 5\r\n\r\n")
    yield "a trailer that frames by chunks", _sized(_HEX, end=b"0\r\nTransfer-Encoding: chunked\r\n\r\n")
    yield "a trailer without a colon", _sized(_HEX, end=b"0\r\nno colon\r\n\r\n")
    yield "a trailer that ends in a line feed", _sized(_HEX, end=b"0\r\nX: y\n\r\n")
    yield "a trailer with a space before its colon", _sized(_HEX, end=b"0\r\nX : y\r\n\r\n")
    yield "a trailer in two lines", _sized(_HEX, end=b"0\r\nX: y\r\n z\r\n\r\n")


_PATH = b"/v1/chat/completions"
_LINES = (
    b"POST  /v1/chat/completions HTTP/1.1",
    b"POST /v1/chat/completions  HTTP/1.1",
    b"POST\t/v1/chat/completions HTTP/1.1",
    b"POST /v1/chat/completions\tHTTP/1.1",
    b" POST /v1/chat/completions HTTP/1.1",
    b"POST /v1/chat/completions HTTP/1.1 ",
    b"POST /v1/chat/completions HTTP/1.1\x0b",
    b"POST /v1/chat/completions HTTP/0.9",
    b"POST /v1/chat/completions HTTP/1.2",
    b"POST /v1/chat/completions HTTP/1.10",
    b"POST /v1/chat/completions HTTP/01.1",
    b"POST /v1/chat/completions HTTP/1.",
    b"POST /v1/chat/completions HTTP/2.0",
    b"POST /v1/chat/completions HTTP/3.0",
    b"POST /v1/chat/completions http/1.1",
    b"POST /v1/chat/completions HTP/1.1",
    b"POST /v1/chat/completions ICE/1.1",
    b"POST /v1/chat/completions RTSP/1.1",
    b"POST /v1/chat/completions",
    b"POST HTTP/1.1",
    b"POST /v1/chat /completions HTTP/1.1",
    b"POST /v1/chat/completions\x00 HTTP/1.1",
    b"POST /v1/chat/completions\x7f HTTP/1.1",
    b"POST v1/chat/completions HTTP/1.1",
    b"POST \\v1\\chat\\completions HTTP/1.1",
    b"POST http://other.example/v1/chat/completions HTTP/1.1",
    b"POST http://softix.example@other.example/v1/chat/completions HTTP/1.1",
    b"POST https:/v1/chat/completions HTTP/1.1",
    b"POST * HTTP/1.1",
    b"CONNECT softix.example:443 HTTP/1.1",
    b"post /v1/chat/completions HTTP/1.1",
    b"P@ST /v1/chat/completions HTTP/1.1",
    b"POST: /v1/chat/completions HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"HTTP/1.1 200 OK",
)
_HOSTS = (
    b"",
    b"Host: a b",
    b"Host: a,b",
    b"Host: a/b",
    b"Host: a@b",
    b"Host: a\\b",
    b"Host: a?b",
    b"Host: a#b",
    b"Host: a<b>",
    b'Host: "a"',
    b"Host: a\x00b",
    b"Host: a\x7fb",
    b"Host: a:b",
    b"Host: a:-1",
    b"Host: a:1:2",
    b"Host: a:99999",
    b"Host: [::1",
    b"Host: ::1",
    b"Host: http://a",
    b"Host : a",
    b" Host: a",
    b"Host: a\r\nHost: b",
    b"Host: a\r\nHost: a",
    b"Host: a\r\n b",
)


def _starts() -> Iterator[tuple[str, bytes]]:
    for line in _LINES:
        yield named("line", line), head(LENGTH, line=line) + BODY
    for host in _HOSTS:
        yield named("host", host), head(LENGTH, host=host) + BODY
    yield "a line that ends in a line feed", head(LENGTH).replace(b"\r\n", b"\n", 1) + BODY
    yield "a head that ends in line feeds", head(LENGTH).replace(b"\r\n\r\n", b"\n\n") + BODY
    yield "a field without a name", head(LENGTH, b": x") + BODY
    yield "a field without a colon", head(LENGTH, b"X") + BODY
    yield "a field with a carriage return", head(LENGTH, b"X: a\rb") + BODY
    yield "a field with a null byte", head(LENGTH, b"X: a\x00b") + BODY


def wrong() -> Iterator[Framing]:
    """Each is refused, and the connection with it."""
    for name, sent in (*_codings(), *_lengths(), *_chunk_forms(), *_starts()):
        yield Framing(name, sent)
