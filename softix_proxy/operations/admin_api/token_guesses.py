"""Slows down whoever guesses admin tokens, by the network that the guesses come from."""

from __future__ import annotations

from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.accounts.throttles import ThrottleRule
from softix_proxy.domain.core.errors import NotPermittedError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access import tokens
from softix_proxy.operations.access.door import Door
from softix_proxy.operations.accounts import throttles

WRONG_TOKENS = ThrottleRule("admin_token_network", per_hour=60, burst=30)
"""Wrong admin tokens from one network. Right ones are not counted."""


async def door(storage: Storage, vault: Vault, text: str, address: str, channel: Channel, roles: OperatorRoles) -> Door:
    """Returns the door for whoever has this token.

    Raises NotPermittedError for a wrong one, and RefusedError(RATE_LIMITED) after too many from one network: for a
    right one too, so that nobody learns from a guess meanwhile.
    """
    subject = throttles.network_subject(vault, address)
    await throttles.require_free(storage.reading(), (WRONG_TOKENS, subject))
    try:
        return await tokens.door(storage, vault, text, channel, roles)
    except NotPermittedError:
        async with storage.writing() as unit:
            await throttles.take(unit, WRONG_TOKENS, subject)
        raise
