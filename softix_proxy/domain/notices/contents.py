"""What each kind of message shows: the values that it knows, and the page that it leads to.

A value that a message does not have is left out of it, and a value that its kind does not know is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from softix_proxy.domain.notices.outbox import NoticeKind

ACTION = "action"
"""The name of the link for which a message is sent, in `Notice.links`. Its path has the token."""


class NoticeContent(NamedTuple):
    """The values that a message of a kind may have, in the order in which they are shown, and where its button leads.

    The button leads to the link `action`, or else to `page`.
    """

    values: tuple[str, ...] = ()
    page: str = ""
    """The path below the public URL. It is empty if the message has only its link, or none."""
    is_alarm: bool = False
    """Whether it says what to do if the person did not do that."""


CONTENTS: Mapping[NoticeKind, NoticeContent] = {
    NoticeKind.VERIFY_EMAIL: NoticeContent(("expires",)),
    NoticeKind.ALREADY_REGISTERED: NoticeContent((), "/sign-in"),
    NoticeKind.RESET_PASSWORD: NoticeContent(("expires",)),
    NoticeKind.NO_PASSWORD: NoticeContent((), "/sign-in"),
    NoticeKind.FIRST_SIGN_IN: NoticeContent(("expires",)),
    NoticeKind.INVITATION: NoticeContent(("organisation", "by", "role", "expires")),
    NoticeKind.CONFIRM_NEW_EMAIL: NoticeContent(("expires",)),
    NoticeKind.EMAIL_CHANGED: NoticeContent(("when",), is_alarm=True),
    NoticeKind.PASSWORD_CHANGED: NoticeContent(("when", "device"), "/account/sessions", is_alarm=True),
    NoticeKind.FACTOR_CHANGED: NoticeContent(("factor", "change", "when", "device"), "/account/factors", is_alarm=True),
    NoticeKind.NEW_SIGN_IN: NoticeContent(("when", "device", "address"), "/account/sessions", is_alarm=True),
    NoticeKind.KEY_CREATED: NoticeContent(("organisation", "key", "when"), "/keys", is_alarm=True),
    NoticeKind.KEY_REVOKED: NoticeContent(("organisation", "key", "when"), "/keys"),
    NoticeKind.RECEIPT: NoticeContent(("organisation", "number", "amount", "when"), "/billing"),
    NoticeKind.INVOICE: NoticeContent(("organisation", "number", "amount", "due"), "/billing"),
    NoticeKind.PAYMENT_FAILED: NoticeContent(("organisation", "amount", "when"), "/billing"),
    NoticeKind.REFUNDED: NoticeContent(("organisation", "number", "amount", "when"), "/billing"),
    NoticeKind.DISPUTED: NoticeContent(("organisation", "amount", "when"), "/billing"),
    NoticeKind.AUTO_TOP_UP_PAUSED: NoticeContent(("organisation", "amount", "reason"), "/billing/auto-top-up"),
    NoticeKind.LOW_BALANCE: NoticeContent(("organisation", "balance", "threshold"), "/billing"),
    NoticeKind.CAP_REACHED: NoticeContent(("organisation", "key", "cap", "period"), "/limits"),
    NoticeKind.CAP_SHARE: NoticeContent(("organisation", "key", "models", "percent", "limit", "period"), "/limits"),
    NoticeKind.BUDGET_REACHED: NoticeContent(("organisation", "budget", "percent", "limit", "period"), "/projects"),
    NoticeKind.POLICY_CHANGED: NoticeContent(("policy", "effective"), "/account"),
    NoticeKind.PRIVACY_ANSWER: NoticeContent(("number", "answer")),
    NoticeKind.ABUSE: NoticeContent(("organisation", "key", "text"), "/keys"),
    NoticeKind.OPERATOR_ALERT: NoticeContent(("text",), "/admin"),
    NoticeKind.TEST: NoticeContent(("when",)),
}

_LINKS_THAT_LET_IN = frozenset(
    (NoticeKind.VERIFY_EMAIL, NoticeKind.RESET_PASSWORD, NoticeKind.FIRST_SIGN_IN, NoticeKind.CONFIRM_NEW_EMAIL)
)
FIRST_SENT: Sequence[frozenset[NoticeKind]] = (
    _LINKS_THAT_LET_IN,
    frozenset(kind for kind, content in CONTENTS.items() if content.is_alarm),
)
"""The kinds that do not wait for others: links that end soon, then alarms. All others follow in the order of time."""
