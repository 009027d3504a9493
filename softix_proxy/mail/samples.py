"""Messages with example values, to look at and to check templates with."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.notices.contents import ACTION, CONTENTS
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.mail.templates import NoticeTemplates

EXAMPLE_URL = "https://portal.example.org"
_EXAMPLE_LINKS: Mapping[NoticeKind, str] = {
    NoticeKind.VERIFY_EMAIL: "/verify?token=EXAMPLE",
    NoticeKind.RESET_PASSWORD: "/reset?token=EXAMPLE",
    NoticeKind.FIRST_SIGN_IN: "/reset?token=EXAMPLE",
    NoticeKind.INVITATION: "/invitations/EXAMPLE",
    NoticeKind.CONFIRM_NEW_EMAIL: "/account/email?token=EXAMPLE",
}
_VALUES: Mapping[str, str] = {
    "address": "192.0.2.7",
    "amount": "$25.00",
    "answer": "This is the first paragraph of the answer.\n\nThis is the second one.",
    "balance": "$4.20",
    "budget": "research",
    "by": "Ada Lovelace",
    "cap": "$100.00",
    "change": "added",
    "device": "Firefox on Linux",
    "due": "2026-12-14",
    "effective": "2027-01-01",
    "expires": "2026-12-01 18:15 UTC",
    "factor": "authenticator app",
    "key": "ci (sx_live_a1b2…)",
    "limit": "$50.00",
    "models": "openai/*",
    "number": "2026-00042",
    "organisation": "Analytical Engines",
    "percent": "80 %",
    "period": "this month",
    "policy": "Terms of use",
    "reason": "the card was declined",
    "role": "member",
    "text": "This is the first paragraph.\n\nThis is the second one.",
    "threshold": "$5.00",
    "when": "2026-11-30 18:15 UTC",
}


def sample(kind: NoticeKind) -> tuple[Notice, Mapping[str, str]]:
    """Returns a message of this kind with every value that it can have, and its links."""
    values = {name: _VALUES[name] for name in CONTENTS[kind].values}
    link = _EXAMPLE_LINKS.get(kind)
    return Notice(kind, "ada@example.org", values), {} if link is None else {ACTION: link}


def broken_kinds(templates: NoticeTemplates) -> list[str]:
    """Returns the kinds whose message cannot be made with the operator's templates."""
    broken = []
    for kind in NoticeKind:
        try:
            templates.preview(*sample(kind))
        except FailureError:
            broken.append(kind.value)
    return broken
