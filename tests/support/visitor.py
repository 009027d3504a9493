"""A browser with a cookie, and a person who sets up second factors with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

import pyotp
from support.authenticator import Authenticator
from support.portal import Got, Portal

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.clock import SECOND_US

PASSWORD = "correct horse battery"
STEP_US = 30 * SECOND_US


@dataclass
class Visitor:
    """Ada's browser: it keeps the cookie that it was given last."""

    portal: Portal
    account: Account
    token: str | None = None
    secret: str = ""
    codes: list[str] = field(default_factory=list)
    device: Authenticator = field(init=False)

    def __post_init__(self) -> None:
        self.device = Authenticator(self.portal.context.url.origin)

    async def get(self, path: str) -> Got:
        return self._kept(await self.portal.get(path, token=self.token))

    async def post(self, path: str, **form: str) -> Got:
        return self._kept(await self.portal.post(path, form, token=self.token))

    def _kept(self, got: Got) -> Got:
        cookie = got.cookie()
        if cookie is not None:
            self.token = cookie["value"] or None
        return got

    async def sign_in(self) -> Got:
        return await self.post("/sign-in", email=self.account.email, password=PASSWORD)

    def code(self) -> str:
        return pyotp.TOTP(self.secret).generate_otp(self.portal.clock.us // STEP_US)

    async def enrol_app(self) -> Got:
        began = await self.post("/account/factors/app")
        assert (began.status, began.location) == (303, "/account/factors/app"), began.text
        page = await self.get("/account/factors/app")
        found = re.search(r"<code[^>]*>([A-Z2-7 ]{39})</code>", page.text)
        assert found is not None, page.text
        self.secret = found[1].replace(" ", "")
        done = await self.post("/account/factors/app/confirm", code=self.code())
        self.codes = re.findall(r"<li><code>([a-z0-9-]{19})</code></li>", done.text)
        self.portal.clock.us += 2 * STEP_US
        return done

    async def enrol_passkey(self) -> Got:
        prompt = await self.post("/account/factors/passkeys")
        return await self.post(
            "/account/factors/passkeys/answer",
            reference=hidden(prompt, "reference"),
            answer=self.device.create(options(prompt)),
            label="Phone",
        )


def hidden(page: Got, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])


def options(page: Got) -> str:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])
