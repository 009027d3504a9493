"""What a page of the portal is given, and what it returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from softix_proxy.domain.access.accounts import Account
    from softix_proxy.domain.access.organisations import Membership
    from softix_proxy.domain.access.sessions import Session
    from softix_proxy.domain.access.users import User
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.settings import Settings


class Access(Enum):
    """What a page needs before its handler runs."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    RECENT = "recent"
    """A proof of who it is that is not older than fifteen minutes. Else the person is asked for it and comes back."""
    OPERATOR = "operator"
    """An account with a role under /admin. To all others such a page does not exist."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person who looks at a page, and the organisation that the page is about."""

    account: Account
    session: Session
    memberships: tuple[Membership, ...]
    membership: Membership | None = None
    """The membership of the organisation that was chosen. None if the account is in none."""
    organisation: User | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request for a page. A form has passed the check of its origin when a handler sees it."""

    method: str
    path: str
    parts: Mapping[str, str]
    """The named parts of the pattern."""
    query: Mapping[str, str]
    form: Mapping[str, str] = field(repr=False)
    """The fields of a POST. A field that comes twice has its last value."""
    now_us: int
    address: str = field(repr=False)
    device: str
    storage: Storage
    settings: Settings
    vault: Vault = field(repr=False)
    _viewer: Viewer | None = None

    @property
    def viewer(self) -> Viewer:
        """The person who signed in. Only a public page has none."""
        if self._viewer is None:
            raise LookupError("a public page has no viewer")
        return self._viewer

    @property
    def is_signed_in(self) -> bool:
        return self._viewer is not None


class Page(NamedTuple):
    """A page that is rendered from a template in `data/templates/portal/`."""

    template: str
    values: Mapping[str, Any]
    status: int = 200


class SeeOther(NamedTuple):
    """A redirect after a form (303). `location` is a path of the portal, or an address of Stripe."""

    location: str
    message: str = ""
    """The key of a text that the next page shows once."""


class Download(NamedTuple):
    chunks: AsyncIterator[bytes]
    file_name: str
    content_type: str


Answer = Page | SeeOther | Download
PageHandler = Callable[[PageRequest], Awaitable[Answer]]


class PortalRoute(NamedTuple):
    """One row of the portal's URL table. Each folder of pages has a list of its own."""

    method: str
    pattern: str
    handler: PageHandler
    access: Access
