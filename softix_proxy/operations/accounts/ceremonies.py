"""Begins ceremonies, and ends them. What a ceremony has to remember is sealed, and bound to its own row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.accounts.ceremonies import Ceremony, CeremonyKind
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.ports.vault import Vault

LIFETIME_S = 600
"""How long a person may take between two pages."""


class CeremonyEnd(NamedTuple):
    """What a ceremony remembered."""

    account_id: int | None
    content: Mapping[str, str]


def digest_of(reference: str) -> bytes:
    """Returns what the database has of a reference, or of a cookie that is no session."""
    return hashlib.sha256(b"softix ceremony " + reference.encode()).digest()


async def begin(
    unit: Unit,
    vault: Vault,
    kind: CeremonyKind,
    content: Mapping[str, str],
    *,
    reference: bytes,
    browser: bytes = b"",
    account_id: int | None = None,
) -> None:
    """Begins a ceremony. One of the same kind and reference ends. Those that have expired are removed."""
    now_us = unit.clock.now_us()
    await unit.ceremonies.purge(now_us)
    await unit.ceremonies.add(
        Ceremony(
            kind=kind,
            reference=reference,
            browser=browser,
            account_id=account_id,
            sealed=vault.seal_secret(json.dumps(content), *_place(kind, reference)),
            created_at_us=now_us,
            expires_at_us=now_us + LIFETIME_S * SECOND_US,
        )
    )


async def look(
    unit: Unit, vault: Vault, kind: CeremonyKind, *, reference: bytes, browser: bytes = b""
) -> CeremonyEnd | None:
    """Returns what a ceremony remembers, and leaves it under way."""
    return _opened(vault, await unit.ceremonies.find(kind, reference, browser, unit.clock.now_us()))


async def end(
    unit: Unit, vault: Vault, kind: CeremonyKind, *, reference: bytes, browser: bytes = b""
) -> CeremonyEnd | None:
    """Ends a ceremony, and returns what it remembered. None if it ended before, expired, or is another browser's."""
    return _opened(vault, await unit.ceremonies.consume(kind, reference, browser, unit.clock.now_us()))


def _opened(vault: Vault, ceremony: Ceremony | None) -> CeremonyEnd | None:
    if ceremony is None:
        return None
    content = json.loads(vault.open_secret(ceremony.sealed, *_place(ceremony.kind, ceremony.reference)))
    return CeremonyEnd(ceremony.account_id, content)


def _place(kind: CeremonyKind, reference: bytes) -> tuple[str, str, str]:
    return "ceremonies", kind, reference.hex()
