"""One request to the portal on its way to its page: its contents, and what is known of it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiohttp import web

from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.accounts.principals import NOBODY
from softix_proxy.domain.core.headers import Header
from softix_proxy.domain.privacy.technical_data import NOWHERE, CallOrigin
from softix_proxy.operations.access.door import Door, account_door
from softix_proxy.web.portal.core.page import Access, PageRequest, PortalRoute, Viewer
from softix_proxy.web.portal.core.portal_context import PortalContext
from softix_proxy.web.portal.core.session_cookie import CookieParts

if TYPE_CHECKING:
    from softix_proxy.domain.accounts.sessions import Session


@dataclass(slots=True)
class PageExchange:
    """The data of one request, which the steps fill in one after the other."""

    request: web.BaseRequest = field(repr=False)
    context: PortalContext = field(repr=False)
    id: str
    now_us: int
    method: str
    """The method as it came. The route of GET answers HEAD as well, without a body."""
    raw_path: str
    raw_query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """The headers, with names in lower case. Several of one name are joined by commas (RFC 9110, section 5.2)."""
    address: str = field(repr=False)
    device: str
    route: PortalRoute | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    form_path: str = "/"
    """For a change, the page of its form: where somebody comes back to who has to prove who it is first."""
    cookie: CookieParts = field(default_factory=CookieParts)
    session: Session | None = None
    viewer: Viewer | None = None
    body: bytes = field(default=b"", repr=False)
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    origin: CallOrigin = NOWHERE
    """Where it comes from. It is known for what may write something down."""
    more_headers: list[Header] = field(default_factory=list)

    @property
    def chosen(self) -> PortalRoute:
        assert self.route is not None, "the step that finds the route comes first"  # noqa: S101
        return self.route

    @property
    def is_change(self) -> bool:
        return self.method not in ("GET", "HEAD")

    def page_request(self) -> PageRequest:
        """Returns what the page is given."""
        context, is_program = self.context, self.chosen.access is Access.PROGRAM
        door = self._door()
        return PageRequest(
            path=self.raw_path,
            parts=self.parts,
            query=self.query,
            form={name: values[-1] for name, values in self.form.items()},
            now_us=self.now_us,
            address=self.address,
            device=self.device,
            storage=door.recorded(self.chosen.operation),
            door=door,
            settings=context.settings,
            vault=context.vault,
            hasher=context.hasher,
            url=context.url,
            openid=context.openid,
            session=self.session,
            cookie=self.cookie.token,
            body=self.body if is_program else b"",
            lists=self.form,
            headers=self.headers if is_program else {},
            payments=context.payments if context.settings.payments.enabled else None,
            _viewer=self.viewer,
        )

    def _door(self) -> Door:
        if self.viewer is None:
            return Door(self.context.storage, NOBODY, origin=self.origin)
        roles = self.context.settings.roles.table
        door = account_door(self.context.storage, self.viewer.account, Channel.PORTAL, roles)
        return replace(door, origin=self.origin)
