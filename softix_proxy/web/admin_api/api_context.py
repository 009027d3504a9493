"""What the admin API works with. The assembly makes it once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softix_proxy.domain.accounts.public_url import PublicUrl
from softix_proxy.domain.ports.admin_commands import AdminCommands
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.web.server.client_address import ClientAddresses

if TYPE_CHECKING:
    from softix_proxy.settings import Settings

PREFIX = "/admin/v1"


@dataclass(slots=True)
class ApiContext:
    """The services and settings of the admin API. It knows no cookie and no API key."""

    storage: Storage
    vault: Vault = field(repr=False)
    commands: AdminCommands
    settings: Settings
    url: PublicUrl
    client_addresses: ClientAddresses
    body_timeout_s: float = 10.0

    def take_all(self, settings: Settings) -> None:
        """Applies the operator's settings to the calls to come."""
        self.settings = settings
        self.client_addresses = ClientAddresses(settings.server.trusted_proxies)
