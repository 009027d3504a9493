"""People who register, sign in and change what they sign in with, on real books and with a real vault."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import NamedTuple

import pytest
from support.books import StoppedClock

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.security_events import SecurityEventKind
from softix_proxy.domain.core.errors import OverloadedError
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.accounts import registration, sign_in, verification
from softix_proxy.operations.accounts.registration import PublishedPolicy, RegistrationForm
from softix_proxy.operations.accounts.sign_in import SecondFactorNeeded, SignedIn
from softix_proxy.operations.notices import outbox
from softix_proxy.storage.sqlite.unit import SqliteStorage, SqliteUnit
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault, new_identity, open_vault

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
HOME, OFFICE = "192.0.2.7", "198.51.100.9"
FIREFOX, SAFARI = "Firefox on Linux", "Safari on iPhone"
TERMS = PublishedPolicy("terms", "2026-11-01")
OPEN = PortalSection(registration="open")


class Mail(NamedTuple):
    kind: NoticeKind
    email: str
    values: Mapping[str, str]
    link: str | None

    @property
    def token(self) -> str:
        assert self.link is not None
        return self.link.partition("token=")[2]


class FakeHasher:
    """Hashes nothing, and lists the work that a real one would do."""

    def __init__(self) -> None:
        self.work: list[str] = []
        self.is_full = False
        self.scores = 4
        self.parameters = "new"

    def require_room(self) -> None:
        if self.is_full:
            raise OverloadedError("busy", "wait", 5)

    async def hash(self, text: str) -> str:
        self.require_room()
        self.work.append("hash")
        return f"{self.parameters}:{text}"

    async def verify(self, password_hash: str | None, text: str) -> bool:
        self.require_room()
        self.work.append("verify")
        return password_hash is not None and password_hash.partition(":")[2] == text

    async def score(self, text: str, personal: Sequence[str]) -> int:
        return self.scores

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(f"{self.parameters}:")


class People:
    def __init__(self, storage: SqliteStorage, clock: StoppedClock) -> None:
        self.storage = storage
        self.clock = clock
        self.vault = new_vault()
        self.hasher = FakeHasher()
        self.portal = OPEN
        self.password = new_password()

    async def register(
        self,
        email: str = ADA,
        *,
        name: str = "Ada Lovelace",
        password: str = "",
        address: str = HOME,
        **changes: object,
    ) -> Account | None:
        values = {"is_of_age": True, "accepts": True, "invitation": "", **changes}
        form = RegistrationForm(name=name, email=email, password=password or self.password, **values)  # type: ignore[arg-type]
        return await registration.register(
            self.storage,
            self.vault,
            self.hasher,
            form,
            portal=self.portal,
            policies=[TERMS],
            address=address,
            device=FIREFOX,
        )

    async def member(self, email: str = ADA, **changes: str) -> Account:
        """Who registered, opened the mailed link, and pressed its button."""
        await self.register(email, **changes)
        token = (await self.mails(NoticeKind.VERIFY_EMAIL, email))[0].token
        password = changes.get("password") or self.password
        return await verification.verify(
            self.storage, self.hasher, token, password=password, address=HOME, device=FIREFOX
        )

    async def sign_in(
        self,
        email: str = ADA,
        password: str = "",
        *,
        address: str = HOME,
        device: str = FIREFOX,
        replaces: str = "",
    ) -> SignedIn | SecondFactorNeeded:
        return await sign_in.password(
            self.storage,
            self.vault,
            self.hasher,
            email=email,
            password=password or self.password,
            address=address,
            device=device,
            portal=self.portal,
            replaces=replaces,
        )

    async def signed_in(self, email: str = ADA, **more: str) -> SignedIn:
        done = await self.sign_in(email, **more)
        assert isinstance(done, SignedIn)
        return done

    async def mails(self, kind: NoticeKind | None = None, email: str | None = None) -> list[Mail]:
        """What waits in the outbox, the newest first."""
        found = []
        for queued in await self.storage.reading().outbox.list(None, 99):
            links = outbox.open_links(self.vault, queued)
            notice = queued.notice
            if kind in (None, notice.kind) and email in (None, notice.email):
                found.append(Mail(notice.kind, notice.email, notice.values, links.get(ACTION)))
        return found

    async def account(self, email: str = ADA) -> Account:
        found = await self.storage.reading().accounts.by_email(email)
        assert found is not None
        return found

    async def events(self, account: Account | None = None) -> list[SecurityEventKind]:
        """The newest first."""
        listed = await self.storage.reading().security_events.list(account and account.id, 99)
        return [event.kind for event in listed]

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Lists the hashes and the transactions that are made meanwhile."""
        work = self.hasher.work = []
        writing = self.storage.writing

        def counts() -> AbstractAsyncContextManager[SqliteUnit]:
            work.append("transaction")
            return writing()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.storage, "writing", counts)
            yield work

    async def revision(self) -> int:
        return (await self.storage.changes(0)).revision


def new_vault() -> MasterVault:
    master = MasterKey(secrets.token_bytes(32))
    return open_vault(master, new_identity(master), KeyRing([master]))


def new_password() -> str:
    return secrets.token_urlsafe(12)
