"""The whole URL table of the portal: the routes of all folders of pages."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.access import routes as access
from softix_proxy.web.portal.core import static_files
from softix_proxy.web.portal.core.page import PortalRoute
from softix_proxy.web.portal.factors import routes as factors
from softix_proxy.web.portal.organisation import routes as organisation
from softix_proxy.web.portal.product import routes as product

ROUTES: Sequence[PortalRoute] = (
    *access.ROUTES,
    *factors.ROUTES,
    *organisation.ROUTES,
    *product.ROUTES,
    *static_files.ROUTES,
)
