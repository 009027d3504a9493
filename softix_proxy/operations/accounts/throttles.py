"""The rules by which attempts of people are slowed down, and what each attempt is counted by.

Nobody is locked out. A guesser fills the counts of the own network, and not those of the owner's.
"""

from __future__ import annotations

from dataclasses import dataclass

from softix_proxy.domain.access.networks import client_network
from softix_proxy.domain.accounts.accounts import folded_email
from softix_proxy.domain.accounts.throttles import ThrottleRule
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.ports.vault import Vault

BY_NETWORK = ThrottleRule("sign_in_network", per_hour=60, burst=30)
"""Attempts from one network, whatever the account. A right password is taken back."""
BY_PAIR = ThrottleRule("sign_in_pair", per_hour=12, burst=6)
"""Attempts on one account from one network."""
BY_ACCOUNT = ThrottleRule("sign_in_account", per_hour=60, burst=30)
"""Attempts on one account from all networks. It refuses nothing: while it is full, the next rule holds as well."""
BY_PAIR_WHILE_GUESSED = ThrottleRule("sign_in_pair_guessed", per_hour=4, burst=2)
"""Attempts on an account that is guessed from many networks, from one of them. The owner's own has its two."""
REGISTER = ThrottleRule("register", per_hour=20, burst=10)
"""Registrations from one network."""
RESET = ThrottleRule("reset", per_hour=20, burst=10)
"""Requests for a new password from one network."""
CHANGE_EMAIL = ThrottleRule("change_email", per_hour=4, burst=4)
"""Requests for another e-mail by one account."""
RESET_MAIL = ThrottleRule("mail_reset", per_hour=4, burst=3)
"""Links for a new password to one address.

Anybody can ask for the messages of this rule and of the next three. A further one is not sent, and nobody is told. Each
kind has a count of its own, so that a message without a link never uses up the one that lets a person in.
"""
VERIFY_MAIL = ThrottleRule("mail_verify", per_hour=4, burst=3)
"""Links that verify the address of an account that nobody has verified yet."""
CHANGE_MAIL = ThrottleRule("mail_change", per_hour=4, burst=3)
"""Links that confirm an address as the new one of an account."""
NOTICE_MAIL = ThrottleRule("mail_notice", per_hour=4, burst=3)
"""Messages without a link to one address: somebody registered it again, or wanted it for another account."""
INVITE_BY_ACCOUNT = ThrottleRule("invite_account", per_hour=20, burst=30)
"""Invitations by one account. Those of operators are not counted, here and by the next two rules."""
INVITE_BY_ORGANISATION = ThrottleRule("invite_organisation", per_hour=40, burst=50)
"""Invitations to one organisation."""
INVITATION_MAIL = ThrottleRule("mail_invitation", per_hour=4, burst=3)
"""Invitations to one address, from whomever. The one who invites is told to wait."""
_TOO_MANY = "there were too many attempts; wait a while"


@dataclass(frozen=True, slots=True)
class AttemptSubjects:
    """What an attempt is counted by: digests, because an address is kept in no count."""

    account: str
    network: str

    @property
    def pair(self) -> str:
        return f"{self.account} {self.network}"


def subjects(vault: Vault, email: str, address: str) -> AttemptSubjects:
    """Returns the subjects for an address, whether or not an account has it."""
    return AttemptSubjects(email_subject(vault, email), network_subject(vault, address))


def email_subject(vault: Vault, email: str) -> str:
    return vault.keyed_digest("e-mail", folded_email(email))


def network_subject(vault: Vault, address: str) -> str:
    """Returns the subject of a client: its IPv4 address, or the /64 of its IPv6 address."""
    return vault.keyed_digest("network", client_network(address))


async def require_free(unit: Unit, *counts: tuple[ThrottleRule, str]) -> None:
    """Raises RefusedError(RATE_LIMITED) if an attempt would have to wait, and counts nothing.

    A flood of attempts is refused by a read, so that it never waits for the write lock that requests need.
    """
    now_us = unit.clock.now_us()
    for rule, subject in counts:
        _refuse(await unit.throttles.wait_us(rule, subject, now_us))


async def take(unit: Unit, rule: ThrottleRule, subject: str) -> None:
    """Counts an attempt in the caller's transaction. Raises RefusedError(RATE_LIMITED) if it has to wait.

    The error ends the transaction, so that an attempt that has to wait is counted by no rule.
    """
    _refuse(await unit.throttles.arrive(rule, subject, unit.clock.now_us()))


async def require_free_sign_in(unit: Unit, by: AttemptSubjects) -> None:
    """Refuses as `require_free` does, before an attempt to prove a password."""
    await require_free(unit, (BY_PAIR, by.pair), (BY_NETWORK, by.network))


async def take_sign_in(unit: Unit, by: AttemptSubjects) -> None:
    """Counts one attempt to prove a password. Raises RefusedError(RATE_LIMITED)."""
    await take(unit, BY_PAIR, by.pair)
    if await unit.throttles.arrive(BY_ACCOUNT, by.account, unit.clock.now_us()):
        await take(unit, BY_PAIR_WHILE_GUESSED, by.pair)
    await take(unit, BY_NETWORK, by.network)


async def give_back_sign_in(unit: Unit, by: AttemptSubjects) -> None:
    """Takes back the count of a password that was right. Else a large office would wait for its own people."""
    now_us = unit.clock.now_us()
    await unit.throttles.forget(BY_PAIR, by.pair)
    await unit.throttles.forget(BY_PAIR_WHILE_GUESSED, by.pair)
    await unit.throttles.give_back(BY_ACCOUNT, by.account, now_us)
    await unit.throttles.give_back(BY_NETWORK, by.network, now_us)


async def may_mail(unit: Unit, vault: Vault, rule: ThrottleRule, email: str) -> bool:
    """Counts a message that anybody can ask for. Returns whether it is sent."""
    return not await unit.throttles.arrive(rule, email_subject(vault, email), unit.clock.now_us())


def _refuse(wait_us: int) -> None:
    if wait_us:
        raise RefusedError(Code.RATE_LIMITED, _TOO_MANY, wait_us / SECOND_US)
