"""The one script of the portal. Only the pages that ask a browser for a passkey run it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.accounts.passkeys import PasskeyPrompt
from softix_proxy.web.portal.core.page import Answer, NewCookie, Page, PageRequest
from softix_proxy.web.portal.core.static_files import StaticFile, static_file

PATH = "/static/portal_passkeys.js"


@cache
def passkey_script() -> StaticFile:
    return static_file("portal_passkeys.js", "text/javascript; charset=utf-8")


async def show_script(request: PageRequest) -> Answer:
    return passkey_script().content


def prompt_page(
    template: str, prompt: PasskeyPrompt, values: Mapping[str, Any], cookie: NewCookie | None = None
) -> Page:
    """Returns a page whose form the script fills in."""
    told = {"script": passkey_script().url, "reference": prompt.reference, "options": prompt.options, **values}
    return Page(template, told, has_script=True, cookie=cookie)


def no_passkeys_page(error: FailureError) -> Page:
    """Returns the page that says what the operator can do so that passkeys work."""
    return Page("passkeys_missing", {"remedy": error.remedy}, 503)
