"""What all pages of the portal work with. The assembly makes it once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from softix_proxy.domain.accounts.passwords import PasswordHasher
from softix_proxy.domain.accounts.public_url import PublicUrl
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.exports.core.templates import HtmlTemplates
from softix_proxy.exports.core.texts import Texts
from softix_proxy.web.server.client_address import ClientAddresses

if TYPE_CHECKING:
    from softix_proxy.domain.accounts.federated_identities import OpenIdProvider
    from softix_proxy.operations.ledger.payments import PaymentService
    from softix_proxy.settings import Settings

BODY_TIMEOUT_S = 10.0
"""The longest time for which a form may pause. It has 16 KiB at most."""


@dataclass(slots=True)
class PortalContext:
    """The services and settings of the portal. It is no part of the relay, and knows no API key."""

    storage: Storage
    vault: Vault
    hasher: PasswordHasher
    settings: Settings
    clock: Clock
    templates: HtmlTemplates
    texts: Texts
    url: PublicUrl
    client_addresses: ClientAddresses
    openid: OpenIdProvider | None = None
    """The way to the OpenID provider of the settings."""
    served: Collection[str] = ()
    """The paths of pages that exist, for the menu."""
    payments: PaymentService | None = None
    body_timeout_s: float = BODY_TIMEOUT_S
    is_draining: bool = False
    running: set[asyncio.Task[web.StreamResponse]] = field(default_factory=set)
    """One task for each request that is answered. The daemon waits for them when it stops."""

    def take(self, server: ServerSection) -> None:
        """Applies the operator's settings to the requests to come."""
        self.client_addresses = ClientAddresses(server.trusted_proxies)

    def take_all(self, settings: Settings) -> None:
        self.settings = settings
        self.take(settings.server)

    def new_request_id(self) -> str:
        """Returns the number by which an operator finds a failure in the log. Pages have no ids of their own."""
        return f"pag_{secrets.token_hex(8)}"

    def stop_taking(self) -> None:
        self.is_draining = True
