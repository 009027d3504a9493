"""The pages of one's own account: the name, the e-mail and the password."""

from __future__ import annotations

from softix_proxy.domain.accounts.refusals import AccountRefusedError
from softix_proxy.domain.accounts.sessions import is_recent
from softix_proxy.operations.accounts import account_profile, emails, passwords
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.session_cookie import new_cookie
from softix_proxy.web.portal.core.steps import to_confirm

ACCOUNT, EMAIL, PASSWORD = "/account", "/account/email", "/account/password"  # these are paths


async def show_profile(request: PageRequest) -> Answer:
    return Page("account", {"name": request.viewer.account.display_name, "problem": None})


async def save_profile(request: PageRequest) -> Answer:
    name = request.form.get("name", "")
    try:
        await account_profile.rename(request.storage, request.viewer.account.id, name)
    except AccountRefusedError as error:
        return refused_page("account", {"name": name}, error)
    return SeeOther(ACCOUNT, "flash.saved")


async def show_email(request: PageRequest) -> Answer:
    """Shows the form for another address, or behind the link the button that confirms it."""
    token = request.query.get("token", "")
    if not token:
        return Page("account_email", {"email": "", "problem": None})
    try:
        email = await emails.look(request.storage, request.viewer.session, token)
    except AccountRefusedError as error:
        return refused_page("account_email", {"email": ""}, error)
    return Page("account_email_confirm", {"token": token, "email": email, "problem": None})


async def request_email(request: PageRequest) -> Answer:
    email = request.form.get("email", "")
    try:
        await emails.request_change(request.storage, request.vault, request.viewer.session, email)
    except AccountRefusedError as error:
        return refused_page("account_email", {"email": email}, error)
    return Page("link_sent", {"about": "email"})


async def confirm_email(request: PageRequest) -> Answer:
    token = request.form.get("token", "")
    try:
        await emails.confirm(
            request.storage,
            request.vault,
            request.viewer.session,
            token,
            address=request.address,
            device=request.device,
        )
    except AccountRefusedError as error:
        return refused_page("account_email", {"email": ""}, error)
    return SeeOther(EMAIL, "flash.email_changed")


async def show_password(request: PageRequest) -> Answer:
    has_password = await _has_password(request)
    if isinstance(has_password, SeeOther):
        return has_password
    return Page("account_password", {"has_password": has_password, "problem": None})


async def change_password(request: PageRequest) -> Answer:
    """Changes the password. Who has none needs a recent proof instead of the current one."""
    has_password = await _has_password(request)
    if isinstance(has_password, SeeOther):
        return has_password
    try:
        proved = await passwords.change(
            request.storage,
            request.vault,
            request.hasher,
            request.viewer.session,
            current=request.form.get("current", ""),
            new=request.form.get("password", ""),
            address=request.address,
            device=request.device,
        )
    except AccountRefusedError as error:
        return refused_page("account_password", {"has_password": has_password}, error)
    return SeeOther(PASSWORD, "flash.password_changed", new_cookie(proved.token, proved.session, request.now_us))


async def _has_password(request: PageRequest) -> bool | SeeOther:
    """Returns whether the account has a password. Without one, a proof that is not recent leads to a new proof."""
    found = await account_profile.has_password(request.storage, request.viewer.account.id)
    return found if found or is_recent(request.viewer.session, request.now_us) else to_confirm(PASSWORD)
