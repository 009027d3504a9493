"""The identifiers: random ones for users, keys and the like, and time-ordered ones for requests."""

from __future__ import annotations

import secrets
from hashlib import sha256

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_EPOCH_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
_SLOT_BITS, _COUNT_BITS = 8, 14
SLOTS = (1 << _SLOT_BITS) - 1
"""The greatest number of processes that may serve one database at once."""
CORRECTIONS_SLOT = SLOTS
"""The slot of ids that no request has. Corrections get their ids under the write lock."""


def new_public_id(kind: str) -> str:
    """Returns `kind` + `_` + 16 random letters and digits (80 bits), for example `usr_…`."""
    return f"{kind}_" + "".join(secrets.choice(_ALPHABET) for _ in range(16))


class RequestIds:
    """Generates 63-bit integers: milliseconds since 2025 · process slot · counter.

    They are unique as long as the slots are, and ordered by time.
    """

    def __init__(self, slot: int, last: int = 0) -> None:
        """Takes the slot and the greatest id that was given out before.

        The latter matters because the clock may have been put back since.
        """
        self._slot = slot << _COUNT_BITS
        self._last_ms = last >> (_SLOT_BITS + _COUNT_BITS)
        self._count = (1 << _COUNT_BITS) - 1

    def next(self, now_us: int) -> int:
        now_ms = max(now_us // 1000 - _EPOCH_MS, self._last_ms)
        if now_ms > self._last_ms:
            self._last_ms, self._count = now_ms, 0
        elif self._count == (1 << _COUNT_BITS) - 1:
            self._last_ms, self._count = now_ms + 1, 0
        else:
            self._count += 1
        return self._last_ms << (_SLOT_BITS + _COUNT_BITS) | self._slot | self._count


def format_request_id(number: int) -> str:
    """Returns `req_` and 13 digits in base 32. The texts sort as the numbers do."""
    first = _ALPHABET[number >> 60]
    return f"req_{first}" + "".join([_PAIRS[number >> shift & 1023] for shift in (50, 40, 30, 20, 10, 0)])


def parse_request_id(text: str) -> int | None:
    """Returns the number of a text `req_…`, or None if the text is not a request id."""
    body = text.removeprefix("req_")
    if len(body) != 13 or not text.startswith("req_") or not all(letter in _VALUES for letter in body):
        return None
    number = 0
    for letter in body:
        number = number << 5 | _VALUES[letter]
    return number if number < 2**63 else None


def derived_public_id(kind: str, *parts: str) -> str:
    """Returns an id in the form of `new_public_id` that is always the same for these parts.

    It makes a form that is sent twice name one thing. It is no secret: whoever knows the parts knows the id.
    """
    number = int.from_bytes(sha256("\0".join(parts).encode()).digest()[:10])
    return f"{kind}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))
