"""Shows a person why something was refused. Each reason has a text in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from softix_proxy.domain.accounts.refusals import AccountRefusedError
from softix_proxy.web.portal.core.page import Page

REFUSED = 400


def refused_page(template: str, values: Mapping[str, Any], error: AccountRefusedError) -> Page:
    """Returns the page of the form again, with the reason. A password is never in `values`."""
    return Page(template, {**values, "problem": f"refusal.{error.reason.value}"}, REFUSED)
