"""The names by which people are known: handles, display names and e-mail addresses.

A reference to a person may pay somebody, so no two kinds of names may be taken for each other. An e-mail address has an
`@`, a handle never has one, and an id begins with `usr_`, with which no handle begins.
"""

from __future__ import annotations

import re
import unicodedata

from softix_proxy.domain.core.errors import BadInputError

ID_PREFIX = "usr_"
_HANDLE = re.compile(r"[^\W_](?:[\w .'-]{0,62}\w)?")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}", re.ASCII)
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII
)
_MADE_HANDLE_LETTERS = 40
_NAMELESS = "organisation"
_MOST_EMAIL_LETTERS = 254
_MOST_DISPLAY_NAME_LETTERS = 100
_JOINERS = frozenset("\u200c\u200d")
"""The zero-width letters that spelling and emoji need."""
_SPACES = " "


def is_handle(text: str) -> bool:
    return (
        _HANDLE.fullmatch(text) is not None
        and not text.casefold().startswith(ID_PREFIX)
        and unicodedata.is_normalized("NFC", text)
    )


def is_email(text: str) -> bool:
    """Returns whether the text is one address of an ordinary mailbox, as RFC 5321 allows it without quotes.

    A name of a host in other letters is written in its ASCII form (`xn--…`), which is what mail servers exchange.
    """
    from email.errors import MessageError
    from email.headerregistry import Address

    try:
        parsed = Address(addr_spec=text)
    except (MessageError, ValueError, IndexError):
        return False
    local, _, host = text.rpartition("@")
    return (
        parsed.addr_spec == text
        and len(text) <= _MOST_EMAIL_LETTERS
        and _LOCAL.fullmatch(local) is not None
        and _HOST.fullmatch(host) is not None
        and not host.rpartition(".")[2].isdigit()
    )


def handle_from(text: str) -> str:
    """Returns a handle that is like a display name: `ada-lovelace` for `Ada Lovelace`. Others may have it already."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).casefold())
    handle = unicodedata.normalize("NFC", "-".join(words))[:_MADE_HANDLE_LETTERS].rstrip("-")
    return handle if is_handle(handle) else _NAMELESS


def checked_handle(text: str) -> str:
    """Returns the handle. Raises BadInputError."""
    if not is_handle(text):
        raise BadInputError(
            f"not a usable name: {text!r}",
            "take letters, digits and single signs without an @, for example ada; --display-name takes any name",
        )
    return text


def checked_email(text: str) -> str:
    """Returns the address. Raises BadInputError."""
    if not is_email(text):
        raise BadInputError(f"not a usable e-mail: {text!r}", "give one plain address, for example ada@example.org")
    return text


def checked_display_name(text: str) -> str:
    """Returns the display name in its composed form (NFC). Raises BadInputError.

    Any letters of Unicode are welcome. What moves the cursor or turns the direction of the text is refused.
    """
    composed = unicodedata.normalize("NFC", text)
    if not 0 < len(composed) <= _MOST_DISPLAY_NAME_LETTERS or composed != composed.strip() or not _is_shown(composed):
        raise BadInputError(
            "not a usable display name",
            f"give 1 to {_MOST_DISPLAY_NAME_LETTERS} letters on one line, without control characters",
        )
    return composed


def _is_shown(text: str) -> bool:
    categories = ((letter, unicodedata.category(letter)) for letter in text)
    return all(letter in _SPACES or letter in _JOINERS or kind[0] not in "CZ" for letter, kind in categories)
