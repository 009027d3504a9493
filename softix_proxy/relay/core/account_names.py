"""Finds the names of an operator's account in the words of providers' errors.

The forms are those of the providers' own documentation: ids of OpenAI and Anthropic, resource names of AWS, paths of
Azure and Google, and the hosts of private networks.
"""

from __future__ import annotations

import re

HIDDEN = "[redacted]"
"""What stands in the place of something that was taken out."""

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_ID = r"(?:(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}|[A-Za-z0-9]{16,})"
"""Random letters with a digit among them, or so many that they are no word."""
_PRIVATE = (
    r"(?:10(?:\.\d{1,3}){3}|127(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2})"
)
_AZURE = (
    r"(?:openai|cognitiveservices|services\.ai|inference\.ml|search|blob\.core)\.(?:azure|windows)\.(?:com|us|cn|net)"
)
_FORMS = tuple(
    (marks, re.compile(form))
    for marks, form in (
        (("org", "proj", "user", "team", "acct"), rf"()\b(?:org|proj|user|team|acct)[-_]{_ID}"),
        (("wrk", "workspace", "key", "svc", "cus", "sub"), rf"()\b(?:wrkspc|workspace|apikey|svcacct|cus|sub)_{_ID}"),
        (
            ("organi", "project", "tenant", "directory", "subscription", "account", "workspace", "team", "org"),
            r"((?i:\b(?:organi[sz]ation|org|project|tenant|directory|subscription|account|workspace|team)\b)"
            rf"[^\n]{{0,24}}?){_UUID}",
        ),
        (("subscriptions/",), r"((?i:\bsubscriptions/))[^\s\"'<>)]+"),
        ((".azure.",), rf"()(?i:\b[a-z0-9][a-z0-9-]{{0,63}}(?=\.{_AZURE}))"),
        (("arn:",), r"()\barn:aws[a-z-]*:[^\s\"'<>,)]+"),
        (("account",), r"((?i:\baccount\b)[^\n]{0,24}?)\b\d{12}\b"),
        (("projects/",), r"((?i:\bprojects/))(?i:[a-z0-9][a-z0-9:._-]*)"),
        (
            ("project",),
            r"((?i:\bproject(?:[ _]?(?:number|id))?)[\s:='\"#`]{1,4})(?i:(?=[a-z-]{0,40}\d)[a-z0-9][a-z0-9-]{4,62})",
        ),
        (("gserviceaccount",), r"()\b[\w.-]{1,64}@[\w.-]{1,64}\.iam\.gserviceaccount\.com\b"),
        (
            ("http",),
            r"((?i:\bhttps?://))(?i:[a-z0-9-]{1,63}(?=[:/\s\"'),;]|$)|\[[0-9a-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?",
        ),
        (
            ("http",),
            r"((?i:\bhttps?://))(?i:[a-z0-9.-]{1,253}\.(?:internal|local|lan|corp|home|intranet|svc))(?::\d{1,5})?\b",
        ),
        (("10.", "127.", "192.168.", "172."), rf"()\b{_PRIVATE}(?::\d{{1,5}})?\b"),
    )
)
"""The forms of names, each with words of which one is in every text that it fits. What the first group has found stays,
because it only says what the name is of.
"""
_MEMBERS = frozenset(
    (
        "account",
        "account_id",
        "accountid",
        "aws_account_id",
        "consumer",
        "org",
        "org_id",
        "organization",
        "organization_id",
        "organization_name",
        "project",
        "project_id",
        "project_name",
        "project_number",
        "projectid",
        "quota_project",
        "resource_group",
        "service_account",
        "subscription",
        "subscription_id",
        "team_id",
        "tenant",
        "tenant_id",
        "user_id",
        "workspace",
        "workspace_id",
    )
)
_MARKS = tuple(
    dict.fromkeys((*(mark for marks, _ in _FORMS for mark in marks), "consumer", "resource_group", "user_id"))
)


def without_account(text: str) -> str:
    """Returns the text with each name of an account replaced."""
    lower = text.lower()
    for marks, form in _FORMS:
        if any(mark in lower for mark in marks):
            text = form.sub(rf"\g<1>{HIDDEN}", text)
    return text


def names_account(member: str) -> bool:
    """Returns whether the value of this member of an error is a name of an account, whatever its form is."""
    return member.lower() in _MEMBERS


def may_name_account(text: str) -> bool:
    """Returns whether a text, or a body as it came, shows any sign of such a name or of such a member."""
    lower = text.lower()
    return any(mark in lower for mark in _MARKS)
