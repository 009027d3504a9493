"""Turns an empty instance into one with a demo provider, a demo user with money, and a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from softix_proxy.domain.access.keys import Key, KeyStatus
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import ADMIN, Granter
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.accounts import account_profile, accounts
from softix_proxy.operations.catalog import catalogue, providers
from softix_proxy.operations.catalog.catalogue import CatalogueModel
from softix_proxy.operations.ledger import balance

USER, EMAIL, LABEL, PROVIDER = "demo", "demo@localhost", "quickstart", "demo"
_AMOUNT_PICO = parse_usd("5.00")
_REFERENCE = "quickstart"
_EVERYTHING = Granter(permissions=frozenset(Permission))
"""Whoever can run this can write the database."""
ENVIRONMENT = {ProviderType.OPENAI: "OPENAI_API_KEY", ProviderType.ANTHROPIC: "ANTHROPIC_API_KEY"}
"""The environment variables in which people keep the keys of providers that they already use."""


@dataclass(frozen=True, slots=True)
class Prepared:
    user: User
    key: Key
    key_text: str | None = field(repr=False)
    """The text of the key, if it was made just now."""


async def prepare(storage: Storage, vault: Vault, demo_models: Sequence[CatalogueModel]) -> Prepared:
    """Makes whatever is missing. A second call changes nothing."""
    if await _provider(storage, PROVIDER) is None:
        await providers.add(storage, vault, name=PROVIDER, kind=ProviderType.DEMO, models=demo_models)
    try:
        user = await users.show(storage, USER)
    except NotFoundError:
        user = await users.create(storage, name=USER, email=EMAIL, role=UserRole.USER, postpaid=False)
    await balance.add(storage, user.email, _AMOUNT_PICO, note="for a first look", reference=_REFERENCE)
    for key in await keys.list_all(storage, user=USER):
        if key.label == LABEL and key.status is KeyStatus.ACTIVE:
            return Prepared(user, key, None)
    issued = await keys.create(storage, vault, user=USER, label=LABEL)
    return Prepared(user, issued.key, issued.text)


async def prepare_account(storage: Storage, vault: Vault) -> str:
    """Makes an account that sees everything, if it is missing. Returns the path by which it is entered.

    That is a link to choose a password, which ends the link before it, or the page to sign in once there is a password.
    """
    try:
        standing = await accounts.show(storage, EMAIL)
    except NotFoundError:
        made = await accounts.create(
            storage,
            vault,
            email=EMAIL,
            display_name="Demo",
            role=ADMIN,
            organisation=EMAIL,
            is_mailed=False,
            by=_EVERYTHING,
        )
        return made.path
    if await account_profile.has_password(storage, standing.account.id):
        return "/sign-in"
    return (await accounts.reset_link(storage, vault, EMAIL, is_mailed=False, by=_EVERYTHING)).path


async def add_provider(storage: Storage, vault: Vault, kind: ProviderType, key: str) -> bool:
    """Adds a provider with the models of the shipped catalogue. Returns False if a provider with this name exists."""
    if await _provider(storage, kind.value) is not None:
        return False
    models = catalogue.load().models(kind.value)
    await providers.add(storage, vault, name=kind.value, kind=kind, key=key, models=models)
    return True


async def _provider(storage: Storage, name: str) -> object | None:
    listed = await providers.list_all(storage)
    return next((provider for provider in listed if provider.name == name), None)
