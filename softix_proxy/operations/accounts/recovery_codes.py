"""The recovery codes: sixteen letters and digits in four groups, 80 random bits, each of which works once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from softix_proxy.domain.accounts.factors import RECOVERY_CODES

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""The digits of Crockford's base 32, which has no letters that look like others."""
_LETTERS, _GROUP = 16, 4
_READ_AS = str.maketrans({"o": "0", "i": "1", "l": "1", "-": None})
_PURPOSE = b"softix recovery code"


def new_codes() -> Sequence[str]:
    """Returns ten codes, such as `7k2m-9xqd-0fra-w3ht`. They are shown once."""
    return [_grouped("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))) for _ in range(RECOVERY_CODES)]


def normalised(text: str) -> str | None:
    """Returns the code without its spaces and dashes, as digits of base 32. None if the text cannot be a code."""
    code = "".join(text.split()).lower().translate(_READ_AS)
    return code if len(code) == _LETTERS and set(code) <= set(_ALPHABET) else None


def digest(account_id: int, code: str) -> bytes:
    """Returns what the database has of a normalised code. Nobody finds 80 random bits from it by trying."""
    return hashlib.sha256(b"%s %d %s" % (_PURPOSE, account_id, code.encode())).digest()


def digests(account_id: int, codes: Sequence[str]) -> Sequence[bytes]:
    return [digest(account_id, code.replace("-", "")) for code in codes]


def _grouped(code: str) -> str:
    return "-".join(code[at : at + _GROUP] for at in range(0, _LETTERS, _GROUP))
