"""The one cookie of the portal: the session's token, the organisation that was chosen, and a message to show once.

All three are in one cookie, because its name lets no other host write it. None of them is trusted: the token is looked
up, the organisation counts only if the account is a member, and the message is the key of a text of the catalogue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from softix_proxy.domain.accounts.sessions import COOKIE, Session
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.web.portal.core.page import NewCookie

_VALUE = re.compile(r"([A-Za-z0-9_-]{0,200})(?:~([a-z0-9_]{0,40})(?:~([a-z0-9_.]{0,64}))?)?")
_SHORT_S = 60
"""The time for which a message waits for the next page of somebody who is not signed in."""


@dataclass(frozen=True, slots=True)
class CookieParts:
    """What the cookie says."""

    token: str = field(default="", repr=False)
    organisation: str = ""
    """The public id of the organisation that was chosen. Empty for the first one."""
    message: str = ""

    def without_message(self) -> CookieParts:
        return replace(self, message="")


def read_cookie(header: str | None) -> CookieParts:
    """Reads the Cookie header. A cookie that softix did not write counts as none."""
    for part in (header or "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            found = _VALUE.fullmatch(value)
            return CookieParts(found[1], found[2] or "", found[3] or "") if found else CookieParts()
    return CookieParts()


def write_cookie(parts: CookieParts, max_age_s: int) -> str:
    """Returns the value of a Set-Cookie header. Without a token the cookie ends at once, or after its message.

    `Lax` and not `Strict`: a person who comes back from a payment page must still be signed in.
    """
    value = "~".join((parts.token, parts.organisation, parts.message)).rstrip("~") if parts != CookieParts() else ""
    if not parts.token:
        value, max_age_s = (f"~~{parts.message}", _SHORT_S) if parts.message else ("", 0)
    return f"{COOKIE}={value}; Max-Age={max_age_s}; Path=/; Secure; HttpOnly; SameSite=Lax"


def new_cookie(token: str, session: Session, now_us: int) -> NewCookie:
    """Returns the cookie of a session that has just got this token. It ends when the session does."""
    return NewCookie(token, max((session.ends_at_us - now_us) // SECOND_US, 0))
