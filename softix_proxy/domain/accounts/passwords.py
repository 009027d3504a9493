"""The rules for passwords: their form, what is too well known, and what hashes them.

NIST SP 800-63B-4 (3.1.1.2) and ASVS 5 (6.2) agree on them: at least 8 letters of any script, no rule of composition, no
truncation, and a list of what is common. A password is compared in its composed form (NFC), as RFC 8265 (4.2) has it:
one keyboard sends `é` as one letter and another one as two. See docs/decisions/0034.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from importlib.resources import files
from typing import Protocol

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError

LEAST_LETTERS = 8
MOST_BYTES = 1024
LEAST_SCORE = 2
"""The least score of zxcvbn, from 0 to 4. It means 10⁶ guesses at least, and an attacker gets a few an hour.

A score of 3 would refuse eight random letters.
"""
CONTEXT_WORDS = ("softix", "softix portal")
"""What everybody knows of the place where the password is used."""
_LEAST_PERSONAL_LETTERS = 4
_WORDS = re.compile(r"[^\W_]+")


class PasswordHasher(Protocol):
    """Hashes passwords, one at a time, behind a queue of a limited length."""

    def require_room(self) -> None:
        """Raises OverloadedError if the queue is full, before anything else is done for the caller."""
        ...

    async def hash(self, text: str) -> str:
        """Raises OverloadedError."""
        ...

    async def verify(self, password_hash: str | None, text: str) -> bool:
        """Returns whether the password matches. Without a hash it does the same work, and returns False.

        Raises OverloadedError.
        """
        ...

    async def score(self, text: str, personal: Sequence[str]) -> int:
        """Returns how hard it is to guess the password for somebody who knows these words: 0 to 4."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Returns whether the hash was made with other parameters than those of today."""
        ...


def normalized(text: str) -> str:
    """Returns the password as it is hashed. Raises AccountRefusedError if it cannot be one, whoever's it is."""
    composed = unicodedata.normalize("NFC", text)
    try:
        size_bytes = len(composed.encode())
    except UnicodeEncodeError:
        raise AccountRefusedError(AccountRefusal.PASSWORD_NOT_TEXT) from None
    if size_bytes > MOST_BYTES:
        raise AccountRefusedError(AccountRefusal.PASSWORD_TOO_LONG)
    return composed


def typed(text: str) -> str:
    """Returns the password as it is compared. One that nobody can have is compared too, so that it takes as long."""
    try:
        return normalized(text)
    except AccountRefusedError:
        return ""


def personal_words(*texts: str) -> tuple[str, ...]:
    """Returns what somebody who knows the person tries first: these texts, and the words in them."""
    words = [word for text in texts for word in (text, *_WORDS.findall(text))]
    return tuple(dict.fromkeys(word.casefold() for word in words if len(word) >= _LEAST_PERSONAL_LETTERS))


def require_usable(text: str, personal: Sequence[str]) -> None:
    """Checks a normalized password by what needs no estimate. Raises AccountRefusedError."""
    if len(text) < LEAST_LETTERS:
        raise AccountRefusedError(AccountRefusal.PASSWORD_TOO_SHORT)
    folded = text.casefold()
    if _is_common(folded):
        raise AccountRefusedError(AccountRefusal.PASSWORD_COMMON)
    rest = folded
    for word in sorted(personal, key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest != folded and sum(map(len, _WORDS.findall(rest))) < _LEAST_PERSONAL_LETTERS:
        raise AccountRefusedError(AccountRefusal.PASSWORD_PERSONAL)


def _is_common(folded: str) -> bool:
    """Looks in the file each time: it has 50 kB, and a password is chosen seldom."""
    if "\n" in folded:
        return False
    known = files("softix_proxy").joinpath("data/common_passwords.txt").read_bytes()
    return b"\n" + folded.encode() + b"\n" in known
