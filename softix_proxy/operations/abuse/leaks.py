"""Takes reports of keys that were found in public, and answers which of them are keys of this instance."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from softix_proxy.domain.abuse.abuse import EVERY_KEY
from softix_proxy.domain.abuse.evidence import LeakReport
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.abuse import alerts
from softix_proxy.operations.abuse.evaluation import found_in

SOURCES: Final = frozenset(
    [
        "content",
        "commit",
        "pull_request_title",
        "pull_request_description",
        "pull_request_comment",
        "issue_title",
        "issue_description",
        "issue_comment",
        "discussion_title",
        "discussion_body",
        "discussion_comment",
        "commit_comment",
        "gist_content",
        "gist_comment",
        "npm",
    ]
)
"""The places that the code host names. Any other is `unknown`."""
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_MOST = 5000


@dataclass(frozen=True, slots=True)
class FoundKey:
    """One match of a report."""

    text: str = field(repr=False)
    type: str
    source: str


def read_report(body: bytes) -> Sequence[FoundKey]:
    """Reads the matches of a report. Raises BadInputError, which says nothing of the body."""
    try:
        matches: Any = json.loads(body)
    except (ValueError, RecursionError):
        matches = None
    if not isinstance(matches, list) or len(matches) > _MOST:
        raise BadInputError("the report is no list of matches", "send the body of the partner programme")
    return [_read(match) for match in matches]


def _read(match: Any) -> FoundKey:
    if not isinstance(match, Mapping) or not isinstance(match.get("token"), str):
        raise BadInputError("a match of the report has no token", "send the body of the partner programme")
    named, source = match.get("type"), str(match.get("source", "")).lower()
    return FoundKey(
        match["token"],
        named if isinstance(named, str) and _TYPE.fullmatch(named) else "softix_api_key",
        source if source in SOURCES else "unknown",
    )


async def report(
    storage: Storage, vault: Vault, roles: OperatorRoles, found: Sequence[FoundKey]
) -> Sequence[dict[str, str]]:
    """Raises an alert for each key of this instance, each in a transaction of its own.

    Returns the labels in the form that the code host documents, with the hash of each key and never its text.
    """
    labels = []
    for each in found:
        digest = vault.digest(each.text)
        is_key = digest is not None and await _take(storage, roles, digest, each.source)
        labels.append(
            {
                "token_hash": sha256(each.text.encode("utf-8", "replace")).hexdigest(),
                "token_type": each.type,
                "label": "true_positive" if is_key else "false_positive",
            }
        )
    return labels


async def _take(storage: Storage, roles: OperatorRoles, digest: bytes, source: str) -> bool:
    """Returns whether there is such a key."""
    if await storage.reading().abuse.key_of_digest(digest) is None:
        return False
    async with storage.writing() as unit:
        await _raise(unit, roles, digest, source)
    return True


async def _raise(unit: Unit, roles: OperatorRoles, digest: bytes, source: str) -> None:
    key_id = await unit.abuse.key_of_digest(digest)
    if key_id is None:
        return
    key = await unit.keys.get(key_id)
    evidence = LeakReport(key.id, key.public_id, key.user_id, source)
    for_all, for_key = await unit.abuse.tunings(EVERY_KEY), await unit.abuse.tunings(key.id)
    for rule, suspicion in found_in(evidence, for_all, for_key):
        await alerts.raise_alert(unit, rule, suspicion, roles)
