"""Passkeys: how a person adds one, and signs in by one. The site is known from the public URL alone.

A challenge is used once: the ceremony that has it ends before the answer is checked.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from ipaddress import ip_address
from typing import NamedTuple

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.accounts.factors import PASSKEY_PROMPT_THROTTLE, Passkey
from softix_proxy.domain.accounts.public_url import PublicUrl
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.accounts.throttles import ThrottleRule
from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.core.secret_tokens import new_token
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import PasskeySubject, PasskeyVerifier, RelyingParty, Vault
from softix_proxy.operations.accounts import ceremonies, factors, throttles
from softix_proxy.operations.accounts.ceremonies import CeremonyEnd
from softix_proxy.operations.accounts.factors import PASSKEY_NAME, Enrolled, Origin

_CHALLENGE_BYTES = 32
_MOST_LABEL_LETTERS = 60
_MOST_PASSKEYS = 20
_SIGN_IN_THROTTLE = ThrottleRule("passkey_sign_in", per_hour=240, burst=60)
"""How often a network may begin a sign-in by passkey. Each one is a row for some minutes."""


class PasskeyPrompt(NamedTuple):
    """What a page gives to its script."""

    reference: str
    """The hidden field by which the form's answer finds its challenge."""
    options: str
    """The options as JSON, for `navigator.credentials`."""


def relying_party(url: PublicUrl) -> RelyingParty:
    """Returns the site. Raises FailureError if it has no host name, because WebAuthn knows no addresses (5.1.2)."""
    try:
        ip_address(url.host.strip("[]"))
    except ValueError:
        return RelyingParty(id=url.host, origin=url.origin, name=f"softix {url.host}")
    raise FailureError("passkeys need a host name, and the portal has a bare address", "set portal.public_url")


async def verifier(vault: Vault) -> PasskeyVerifier:
    """Returns what checks passkeys. Raises FailureError if it is not installed.

    The first call imports the library, in a thread, so that requests go on meanwhile.
    """
    return await asyncio.to_thread(vault.passkeys)


async def begin_enrolment(
    storage: Storage, vault: Vault, party: RelyingParty, session: Session, account: Account
) -> PasskeyPrompt:
    """Begins to add a passkey. Raises AccountRefusedError unless the session may change factors, and FailureError."""
    checks = await verifier(vault)
    async with storage.writing() as unit:
        known = await factors.require_strong_session(unit, session)
        if len(known.passkeys) >= _MOST_PASSKEYS:
            raise AccountRefusedError(AccountRefusal.PASSKEYS_MANY)
        reference, challenge = await _begin(
            unit, vault, CeremonyKind.PASSKEY_ENROLMENT, browser=session.digest, account_id=account.id
        )
    subject = PasskeySubject(account.public_id.encode(), account.email, account.display_name)
    credentials = [one.credential_id for one in known.passkeys]
    return PasskeyPrompt(reference, checks.creation_options(party, subject, challenge, credentials))


async def finish_enrolment(
    storage: Storage,
    vault: Vault,
    party: RelyingParty,
    session: Session,
    account: Account,
    origin: Origin,
    *,
    reference: str,
    answer: str,
    label: str,
) -> Enrolled:
    """Adds the passkey. The other sessions end. Raises AccountRefusedError."""
    name, checks = checked_label(label), await verifier(vault)
    ended = await _end(storage, vault, CeremonyKind.PASSKEY_ENROLMENT, reference, session.digest)
    if ended.account_id != account.id:
        raise AccountRefusedError(AccountRefusal.CEREMONY_ENDED)
    made = checks.verify_creation(party, _challenge(ended), answer)
    async with storage.writing() as unit:
        before, now_us = await factors.require_strong_session(unit, session), unit.clock.now_us()
        passkey = Passkey(
            id=0,
            public_id=new_public_id("pky"),
            account_id=account.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            label=name,
            created_at_us=now_us,
        )
        try:
            await unit.factors.add_passkey(passkey)
        except ConflictError:
            raise AccountRefusedError(AccountRefusal.PASSKEY_REFUSED) from None
        return await factors.enrolled(
            unit, vault, session, account, before, PASSKEY_NAME, origin, subject=passkey.public_id
        )


async def begin_sign_in(storage: Storage, vault: Vault, party: RelyingParty, address: str) -> PasskeyPrompt:
    """Begins a sign-in by any passkey of the site. Raises RefusedError if the network tries too often."""
    checks = await verifier(vault)
    async with storage.writing() as unit:
        await throttles.take(unit, _SIGN_IN_THROTTLE, throttles.network_subject(vault, address))
        reference, challenge = await _begin(unit, vault, CeremonyKind.PASSKEY_SIGN_IN)
    return PasskeyPrompt(reference, checks.request_options(party, challenge, ()))


async def begin_second_factor(
    storage: Storage, vault: Vault, party: RelyingParty, session: Session
) -> PasskeyPrompt | None:
    """Begins the proof of a passkey of the session's account. None if the account has none.

    The session waits for its second factor, or is open and has to prove again who it is. Raises
    RefusedError(RATE_LIMITED) if the account is asked too often.
    """
    count = PASSKEY_PROMPT_THROTTLE, str(session.account_id)
    await throttles.require_free(storage.reading(), count)
    known = (await factors.show(storage.reading(), session.account_id)).passkeys
    if not known:
        return None
    checks = await verifier(vault)
    async with storage.writing() as unit:
        await throttles.take(unit, *count)
        reference, challenge = await _begin(
            unit, vault, CeremonyKind.PASSKEY_SECOND_FACTOR, browser=session.digest, account_id=session.account_id
        )
    return PasskeyPrompt(reference, checks.request_options(party, challenge, [one.credential_id for one in known]))


async def proved_for_sign_in(
    storage: Storage, vault: Vault, party: RelyingParty, *, reference: str, answer: str
) -> tuple[Passkey, int]:
    """Checks an answer of any passkey. Returns the passkey and its new count, which `use` has to note.

    Raises AccountRefusedError.
    """
    ended = await _end(storage, vault, CeremonyKind.PASSKEY_SIGN_IN, reference, b"")
    return await _verified(storage, vault, party, _challenge(ended), answer, None)


async def proved_as_second_factor(
    storage: Storage, vault: Vault, party: RelyingParty, session: Session, *, reference: str, answer: str
) -> tuple[Passkey, int]:
    """Checks an answer of a passkey of the session's account, as `proved_for_sign_in` does."""
    ended = await _end(storage, vault, CeremonyKind.PASSKEY_SECOND_FACTOR, reference, session.digest)
    return await _verified(storage, vault, party, _challenge(ended), answer, session.account_id)


async def use(unit: Unit, passkey: Passkey, sign_count: int) -> None:
    """Notes the use of a passkey. Raises AccountRefusedError if its count does not grow, as that of a copy."""
    if not await unit.factors.use_passkey(passkey.id, sign_count, unit.clock.now_us()):
        raise AccountRefusedError(AccountRefusal.PASSKEY_REFUSED)


async def _verified(
    storage: Storage, vault: Vault, party: RelyingParty, challenge: bytes, answer: str, account_id: int | None
) -> tuple[Passkey, int]:
    checks, unit = await verifier(vault), storage.reading()
    read = checks.read_answer(answer)
    passkey = await unit.factors.passkey(read.credential_id)
    if passkey is None or account_id not in (None, passkey.account_id):
        raise AccountRefusedError(AccountRefusal.PASSKEY_REFUSED)
    account = await unit.accounts.get(passkey.account_id)
    # The handle is optional where the credential was named, and has to be the account's in each case (7.2, step 6).
    if read.handle != account.public_id.encode() and (read.handle is not None or account_id is None):
        raise AccountRefusedError(AccountRefusal.PASSKEY_REFUSED)
    count = checks.verify_request(
        party, challenge, answer, public_key=passkey.public_key, sign_count=passkey.sign_count
    )
    return passkey, count


async def _begin(
    unit: Unit, vault: Vault, kind: CeremonyKind, *, browser: bytes = b"", account_id: int | None = None
) -> tuple[str, bytes]:
    reference, challenge = new_token(), secrets.token_bytes(_CHALLENGE_BYTES)
    content = {"challenge": base64.b64encode(challenge).decode()}
    digest = ceremonies.digest_of(reference)
    await ceremonies.begin(unit, vault, kind, content, reference=digest, browser=browser, account_id=account_id)
    return reference, challenge


async def _end(storage: Storage, vault: Vault, kind: CeremonyKind, reference: str, browser: bytes) -> CeremonyEnd:
    async with storage.writing() as unit:
        ended = await ceremonies.end(unit, vault, kind, reference=ceremonies.digest_of(reference), browser=browser)
    if ended is None:
        raise AccountRefusedError(AccountRefusal.CEREMONY_ENDED)
    return ended


def _challenge(ended: CeremonyEnd) -> bytes:
    return base64.b64decode(ended.content["challenge"])


def checked_label(text: str) -> str:
    """Returns the name of a passkey. Raises AccountRefusedError."""
    label = " ".join(text.split())
    if not 0 < len(label) <= _MOST_LABEL_LETTERS or not label.isprintable():
        raise AccountRefusedError(AccountRefusal.PASSKEY_NAME)
    return label
