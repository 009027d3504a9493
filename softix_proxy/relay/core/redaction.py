"""Keeps what belongs to the operator out of what goes to clients: the provider's key, and the names of the account.

A provider may quote the key that it got, and many errors name an organisation, a project, a cloud account or the host
of the provider. An error, its headers and each error within a stream are searched for the key in every spelling, and
for such names. The result of a request is the provider's work for the client, so it passes byte for byte. Only the key
itself is searched for there, because a server that repeats what it was sent repeats it plainly.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from softix_proxy.dialects.core.base import StreamMeter
from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.headers import Header
from softix_proxy.relay.core.account_names import HIDDEN, may_name_account, names_account, without_account

_LEAST_SECRET = 8
"""The fewest letters of a key that is searched for. Self-hosted servers take words such as `none`."""
_LEAST_IN_CONTENT = 16
"""The same where the model's own words are, which might have a shorter key in them by chance."""
_WINDOW = 48
"""The last letters of a key by which its spellings are found. The beginnings of many tokens are the same."""
_ROUNDS = 3
"""The number of spellings within one another that are read, such as JSON within JSON within a URL."""
_KEPT = 1024
_NEVER = 2**63
_TYPE = "content-type"
_LONGEST_TEXT = 16 * 1024
"""The most letters of an error that are searched. A longer text in an error repeats what the client has sent."""
_EACH_TEXT = 32
"""The letters for which each text counts in addition, since each takes some time."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ESCAPES = (b"\\", b"%", b"&#")
_ESCAPE = re.compile(
    rb"\\+(?:[uU](?:0000)?00([0-7][0-9A-Fa-f])|x([0-7][0-9A-Fa-f])|([/\"'\\-]))"
    rb"|%([0-7][0-9A-Fa-f])|&#(?:0*(\d{2,3})|[xX]0*([0-7][0-9A-Fa-f]));"
)
_FAILURE_WORDS = (b"rror", b"failed", b"xception")
"""The words of which each report of a failure has one."""
_EVENT = re.compile(rb".+?(?:\n\r?\n|\r\r|\Z)", re.DOTALL)
_DATA = re.compile(rb"^(data: ?)([^\r\n]*)", re.MULTILINE)
_WITHHELD = msgspec.json.encode({"error": {"type": "server_error", "message": HIDDEN}})
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class Redaction:
    """What must not reach a client from one provider with one key."""

    def __init__(self, secret: str | None, host: str = "") -> None:
        """Takes the key in use, and the provider's host if it is the operator's own."""
        self._secret = secret if secret is not None and len(secret) >= _LEAST_SECRET else None
        self._needles = () if self._secret is None else tuple(dict.fromkeys(_spellings(self._secret.encode())))
        self._host = re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", re.IGNORECASE) if host else None
        self._least = min(map(len, self._needles), default=_NEVER)
        """The fewest letters of a text with the key in it, in any spelling."""
        self.content_secret = self._secret.encode() if self._secret and len(self._secret) >= _LEAST_IN_CONTENT else None
        """The key as it is searched for in results, or None if it may be a word like any other."""

    def headers(self, headers: list[Header]) -> list[Header]:
        """Returns the headers without those that contain the key or name the account."""
        for _, value in headers:
            if len(value) >= self._least or "org-" in value or "arn:" in value or "projects/" in value:
                return [(name, value) for name, value in headers if name == _TYPE or self._cleaned(value) == value]
        return headers

    def content(self, data: bytes) -> bytes:
        """Returns a result, or a part of one, with the letters of the key replaced. Its length stays the same."""
        secret = self.content_secret
        return data if secret is None or secret not in data else data.replace(secret, b"*" * len(secret))

    def error(self, body: bytes) -> bytes | None:
        """Returns an error without the key and the account's names, or None if the key cannot be taken out of it.

        An error that has neither stays byte for byte.
        """
        if not self._is_suspicious(body):
            return body
        try:
            told = _ANY.decode(body)
        except MALFORMED:
            text = self._cleaned(body.decode("utf-8", "surrogateescape"))
            return None if text == HIDDEN else text.encode("utf-8", "surrogateescape")
        cleaned = self._walk(told, _Effort())
        if cleaned == told and len(body) <= _LONGEST_TEXT:
            return None if self._has_secret(body) else body
        return msgspec.json.encode(cleaned)  # also if a member comes twice, of which the client may read the other one

    def described(self, body: bytes) -> bytes:
        """Returns a provider's description of a stored object. Only the errors in it are the provider's own words."""
        if b'"errors"' in body:
            try:
                told = _ANY.decode(body)
            except MALFORMED:
                return self.content(body)
            errors = told.get("errors") if isinstance(told, dict) else None
            cleaned = self._walk(errors, _Effort())
            if cleaned != errors:
                body = msgspec.json.encode({**told, "errors": cleaned})
        return self.content(body)

    def events(self, data: bytes) -> bytes:
        """Returns whole events of a stream that has failed. Those that report a failure are cleaned as errors are."""
        return b"".join(map(self._event, _EVENT.findall(data)))

    def _event(self, event: bytes) -> bytes:
        if not any(word in event for word in _FAILURE_WORDS):
            return self.content(event)
        lines = _DATA.findall(event)
        if len(lines) != 1:  # it is an element of a JSON array, or JSON in several lines
            return self.error(event) or _WITHHELD
        cleaned = _DATA.sub(lambda line: line[1] + (self.error(line[2]) or _WITHHELD), event)
        return b"data: %b\n\n" % _WITHHELD if self._has_secret(cleaned) else cleaned

    def _walk(self, value: Any, effort: _Effort) -> Any:
        if isinstance(value, str):
            return self._cleaned(value) if effort.allows(value) else HIDDEN
        if isinstance(value, list):
            return [self._walk(each, effort) for each in value]
        if isinstance(value, dict):
            return {
                self._walk(name, effort): HIDDEN if each and names_account(name) else self._walk(each, effort)
                for name, each in value.items()
            }
        return value

    def _is_suspicious(self, body: bytes) -> bool:
        """Returns whether anything has to be looked for in an error. Most errors are plain and short."""
        if (
            len(body) > _LONGEST_TEXT
            or any(needle in body for needle in self._needles)
            or any(mark in body for mark in _ESCAPES)
        ):
            return True
        text = body.decode("utf-8", "surrogateescape")
        return may_name_account(text) or (self._host is not None and self._host.search(text) is not None)

    def _cleaned(self, text: str) -> str:
        if len(text) > _LONGEST_TEXT:
            return HIDDEN
        if self._secret is not None:
            text = text.replace(self._secret, HIDDEN)
            if len(text) >= self._least and self._has_secret(text.encode("utf-8", "surrogateescape")):
                return HIDDEN
        if self._host is not None:
            text = self._host.sub(HIDDEN, text)
        return without_account(text)

    def _has_secret(self, data: bytes) -> bool:
        """Returns whether the key is there, in any spelling or in a spelling of a spelling."""
        for _ in range(_ROUNDS if self._needles else 0):
            for needle in self._needles:
                if needle in data:
                    return True
            if not any(mark in data for mark in _ESCAPES):
                return False
            data = _ESCAPE.sub(_unescaped, data)
        return any(needle in data for needle in self._needles)


class _Effort:
    """The effort that one error is worth. A body with very many or very long texts would keep all others waiting."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _LONGEST_TEXT

    def allows(self, text: str) -> bool:
        self._left -= len(text) + _EACH_TEXT
        return self._left >= 0


class StreamRedaction:
    """Takes what is the operator's out of one stream. A key is found also where it is divided between two chunks."""

    __slots__ = ("_hidden", "_meter", "_secret", "_tail")

    def __init__(self, hidden: Redaction, meter: StreamMeter | None = None) -> None:
        """Takes the meter of the stream, which knows whether it has failed. A stored file has none."""
        self._hidden = hidden
        self._meter = meter
        self._secret = hidden.content_secret
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        """Returns what may be sent now. It runs for every chunk, so it is cheap.

        A key has no line feed in it, and nearly every chunk ends with one.
        """
        if self._meter is not None and self._meter.failure is not None:
            data = self._hidden.events(data)
        secret = self._secret
        if secret is None or (data[-1:] == b"\n" and secret not in data and not self._tail):
            return data
        return self._without(secret, self._tail + data)

    def end(self) -> bytes:
        """Returns what waits. It was not the key, since nothing follows."""
        tail, self._tail = self._tail, b""
        return tail

    def _without(self, secret: bytes, data: bytes) -> bytes:
        """Returns the data without the key. What may be the beginning of the key waits for the next chunk."""
        data = self._hidden.content(data)
        begun = _begun(secret, data)
        self._tail = data[len(data) - begun :]
        return data[: len(data) - begun]


NOTHING_HIDDEN = Redaction(None)


@lru_cache(_KEPT)
def _made(secret: str | None, host: str) -> Redaction:
    return Redaction(secret, host)


def redaction(secret: str | None, provider: Provider | None) -> Redaction:
    """Returns the redaction of a provider's key. It is made once, because every request with the key needs it."""
    return _made(secret, "" if provider is None else _own_host(provider.base_url, provider.profile.base_url))


@lru_cache(_KEPT)
def _own_host(base_url: str, usual_url: str) -> str:
    """Returns the host of the base URL, unless the type of provider has it for all, or it is a word without a dot.

    Such a word is only replaced within a URL, since it may be any word: `http://model:8000`.
    """
    host = urlsplit(base_url).hostname or ""
    return "" if "." not in host or host == urlsplit(usual_url).hostname else host


def _spellings(secret: bytes) -> Iterator[bytes]:
    """Yields the key as it is, in hexadecimal, and in base64 at each of the three places where it may begin in a text.

    Of a long key only the end is taken. Letters of base64 that also depend on what is before or after are left out.
    """
    yield secret[-_WINDOW:]
    yield secret.hex().encode()[-_WINDOW:]
    yield secret.hex().upper().encode()[-_WINDOW:]
    for shift in range(3):
        text = b64encode(b"\0" * shift + secret)[-(-shift * 8 // 6) : (shift + len(secret)) * 8 // 6][-_WINDOW:]
        yield text
        yield text.translate(_URL_SAFE)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    number = escape[1] or escape[2] or escape[4] or escape[6]
    if number:
        return bytes((int(number, 16),))
    if escape[5]:
        code = int(escape[5])
        return bytes((code,)) if code < 128 else escape[0]
    return escape[3]


def _begun(secret: bytes, data: bytes) -> int:
    """Returns how many of the last bytes are the beginning of the key."""
    at = data.find(secret[:1], max(len(data) - len(secret) + 1, 0))
    while at >= 0:
        if secret.startswith(data[at:]):
            return len(data) - at
        at = data.find(secret[:1], at + 1)
    return 0
