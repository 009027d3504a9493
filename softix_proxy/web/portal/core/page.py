"""What a page of the portal is given, and what it returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from softix_proxy.domain.access.users import User
    from softix_proxy.domain.accounts.accounts import Account
    from softix_proxy.domain.accounts.federated_identities import OpenIdProvider
    from softix_proxy.domain.accounts.passwords import PasswordHasher
    from softix_proxy.domain.accounts.principals import Principal
    from softix_proxy.domain.accounts.public_url import PublicUrl
    from softix_proxy.domain.accounts.sessions import Session
    from softix_proxy.domain.organisations.organisations import Membership
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.operations.access.door import Door
    from softix_proxy.operations.ledger.payments import PaymentService
    from softix_proxy.settings import Settings


class Access(Enum):
    """What a page needs before its handler runs."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    RECENT = "recent"
    """A proof of who it is that is not older than fifteen minutes. Else the person is asked for it and comes back."""
    OPERATOR = "operator"
    """An account with a role under /admin. To all others such a page does not exist."""
    OPERATOR_RECENT = "operator_recent"
    """Both: an account with a role under /admin, and a recent proof of who it is."""
    PROGRAM = "program"
    """A program that proves itself to the handler, such as Stripe by a signature. There is no check of an origin, the
    cookie is not read, and the body is given as it came: up to 256 KiB."""

    @property
    def is_for_operators(self) -> bool:
        return self in (Access.OPERATOR, Access.OPERATOR_RECENT)

    @property
    def needs_recent_proof(self) -> bool:
        return self in (Access.RECENT, Access.OPERATOR_RECENT)


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person who looks at a page, and the organisation that the page is about."""

    account: Account
    session: Session
    memberships: tuple[Membership, ...]
    membership: Membership | None = None
    """The membership of the organisation that was chosen. None if the account is in none."""
    organisation: User | None = None
    organisation_name: str = ""
    """The name by which people know the organisation."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request for a page. A form has passed the check of its origin when a handler sees it."""

    path: str
    parts: Mapping[str, str]
    """The named parts of the pattern."""
    query: Mapping[str, str]
    form: Mapping[str, str] = field(repr=False)
    """The fields of a POST. A field that comes twice has its last value here, and all of them in `lists`."""
    now_us: int
    address: str = field(repr=False)
    device: str
    storage: Storage
    """The storage for the operation of the route."""
    door: Door = field(repr=False)
    """The way to the operations of the operators' side, each with a storage of its own."""
    settings: Settings
    vault: Vault = field(repr=False)
    hasher: PasswordHasher = field(repr=False)
    """The queue that hashes passwords, one at a time."""
    url: PublicUrl
    """The public URL of the portal."""
    openid: OpenIdProvider | None = field(default=None, repr=False)
    """The way to the OpenID provider of the settings."""
    session: Session | None = None
    """The session of the cookie, if it has not ended. It may wait for its second factor, unlike that of `viewer`."""
    cookie: str = field(default="", repr=False)
    """The token in the cookie, whether or not it opens a session."""
    body: bytes = field(default=b"", repr=False)
    """The body as it came. Only a page for programs has it."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """All values of each field of a POST, such as those of several boxes of one name."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The headers, with names in lower case. Only a page for programs has them."""
    payments: PaymentService | None = field(default=None, repr=False)
    """How payments are reached. None where they are switched off."""
    _viewer: Viewer | None = None

    @property
    def viewer(self) -> Viewer:
        """The person who signed in. Only a public page has none."""
        if self._viewer is None:
            raise LookupError("a public page has no viewer")
        return self._viewer

    @property
    def principal(self) -> Principal:
        """Who asks, and what the role allows on the operators' side."""
        return self.door.principal

    @property
    def is_signed_in(self) -> bool:
        return self._viewer is not None


@dataclass(frozen=True, slots=True)
class NewCookie:
    """The session that an answer gives to the browser, or takes away with an empty token."""

    token: str = field(repr=False)
    max_age_s: int = 0


END_OF_SESSION = NewCookie("")


class Page(NamedTuple):
    """A page that is rendered from a template in `data/templates/portal/`."""

    template: str
    values: Mapping[str, Any]
    status: int = 200
    forms_to: tuple[str, ...] = ()
    """The other origins to which a form of the page may lead, by a redirect as well (CSP `form-action`)."""
    has_script: bool = False
    """Whether the page runs a file of `/static/`. It works without it, unless it is about passkeys."""
    cookie: NewCookie | None = None


class SeeOther(NamedTuple):
    """A redirect after a form (303). `location` is a path of the portal, or an address of Stripe."""

    location: str
    message: str = ""
    """The key of a text that the next page shows once, in the section `flash`: `flash.saved`."""
    cookie: NewCookie | None = None
    organisation: str | None = None
    """The public id of the organisation that the next pages are about. None leaves it as it is."""


class Download(NamedTuple):
    chunks: AsyncIterator[bytes]
    file_name: str
    content_type: str


async def whole(content: bytes) -> AsyncIterator[bytes]:
    """Yields the content of a download that is made at once."""
    yield content


class Content(NamedTuple):
    """An answer that is no page: a style sheet, or the answer to a program."""

    body: bytes
    content_type: str
    status: int = 200
    is_forever: bool = False
    """Whether browsers may keep it for a year, because another content has another URL."""


Answer = Page | SeeOther | Download | Content
PageHandler = Callable[[PageRequest], Awaitable[Answer]]


class PortalRoute(NamedTuple):
    """One row of the portal's URL table. Each folder of pages has a list of its own."""

    method: str
    pattern: str
    handler: PageHandler
    access: Access
    operation: str
    """The name of what it does. A page that only shows something gets a storage that cannot write."""
