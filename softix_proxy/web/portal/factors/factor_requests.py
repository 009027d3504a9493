"""What the pages of factors share: where a request comes from."""

from __future__ import annotations

from softix_proxy.operations.accounts.factors import Origin
from softix_proxy.web.portal.core.page import PageRequest


def origin_of(request: PageRequest) -> Origin:
    return Origin(request.address, request.device)
