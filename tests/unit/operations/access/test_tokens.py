from __future__ import annotations

import pytest
from support.books import StoppedClock
from support.people import new_vault
from support.principals import ALL

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OPERATOR_ROLES, Granter, OperatorRoles
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.audit import ActorKind, Channel
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, NotFoundError, NotPermittedError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access import tokens, users
from softix_proxy.operations.access.door import Door
from softix_proxy.operations.access.tokens import IssuedToken
from softix_proxy.operations.accounts import audit
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
def vault() -> Vault:
    return new_vault()


async def opened(storage: Storage, vault: Vault, made: IssuedToken) -> Door:
    return await tokens.door(storage, vault, made.text, Channel.API, OperatorRoles())


async def test_token_is_its_role_at_the_door_and_its_id_in_the_audit(
    books: SqliteStorage, vault: Vault, ada: User
) -> None:
    made = await tokens.create(books, vault, "admin", ALL, label="deploy")
    assert made.text.startswith(made.token.prefix) and made.text.startswith("sx_admin_")
    door = await opened(books, vault, made)
    assert door.principal.permissions == OPERATOR_ROLES["admin"]
    await users.update(await door.enter("users.update"), ada.public_id, name="lovelace")
    [entry] = await audit.page(books)
    assert (entry.actor_kind, entry.actor, entry.channel) == (ActorKind.TOKEN, made.token.public_id, Channel.API)


@pytest.mark.parametrize("role", [role for role, own in OPERATOR_ROLES.items() if own])
async def test_nobody_makes_a_token_with_more_than_they_have(books: SqliteStorage, vault: Vault, role: str) -> None:
    by = Granter(permissions=OPERATOR_ROLES["billing"])
    if OPERATOR_ROLES[role] <= OPERATOR_ROLES["billing"]:
        await tokens.create(books, vault, role, by)
        return
    with pytest.raises(NotPermittedError):
        await tokens.create(books, vault, role, by)
    assert await tokens.list_all(books) == []


@pytest.mark.parametrize(("role", "label"), [("king", ""), ("user", ""), ("admin", "x" * 81), ("admin", "a\nb")])
async def test_token_of_no_use_is_refused(books: SqliteStorage, vault: Vault, role: str, label: str) -> None:
    with pytest.raises(BadInputError):
        await tokens.create(books, vault, role, ALL, label=label)
    assert await tokens.list_all(books) == []


async def test_what_is_no_token_opens_nothing(books: SqliteStorage, vault: Vault) -> None:
    made = await tokens.create(books, vault, "admin", ALL)
    for text in ("", made.text[:-1] + ("a" if made.text[-1] != "a" else "b"), vault.new_api_key().text):
        with pytest.raises(NotPermittedError, match="no admin token"):
            await tokens.door(books, vault, text, Channel.API, OperatorRoles())
    with pytest.raises(NotPermittedError, match="no admin token"):
        await tokens.door(books, vault, vault.new_admin_token().text, Channel.API, OperatorRoles())


async def test_token_ends_at_its_expiry(books: SqliteStorage, vault: Vault, stopped_clock: StoppedClock) -> None:
    made = await tokens.create(books, vault, "admin", ALL, expires_in_us=5)
    await opened(books, vault, made)
    stopped_clock.us += 5
    with pytest.raises(NotPermittedError, match="has expired"):
        await opened(books, vault, made)


async def test_token_that_is_revoked_opens_nothing_not_even_what_was_begun(
    books: SqliteStorage, vault: Vault, ada: User
) -> None:
    made = await tokens.create(books, vault, "admin", ALL)
    storage = await (await opened(books, vault, made)).enter("users.update")
    done = await tokens.revoke(books, made.token.prefix, ALL)
    assert done.revoked_at_us is not None and await tokens.revoke(books, made.token.public_id, ALL) == done
    with pytest.raises(NotPermittedError, match="was revoked"):
        await users.update(storage, ada.public_id, name="eve")
    with pytest.raises(NotPermittedError, match="was revoked"):
        await opened(books, vault, made)
    assert (await users.show(books, ada.public_id)).name == "ada"


async def test_token_of_somebody_who_may_do_more_is_not_revoked(books: SqliteStorage, vault: Vault) -> None:
    made = await tokens.create(books, vault, "owner-operator", ALL)
    with pytest.raises(NotPermittedError):
        await tokens.revoke(books, made.token.public_id, Granter(permissions=OPERATOR_ROLES["admin"]))
    assert (await tokens.show(books, made.token.public_id)).revoked_at_us is None


async def test_role_that_was_taken_out_of_the_configuration_leaves_a_token_without_permissions(
    books: SqliteStorage, vault: Vault
) -> None:
    roles = OperatorRoles({"helpdesk": frozenset((Permission.KEYS_REVOKE,))})
    made = await tokens.create(books, vault, "helpdesk", Granter(roles, frozenset(Permission)))
    door = await tokens.door(books, vault, made.text, Channel.CLI, roles)
    assert door.principal.permissions == {Permission.KEYS_REVOKE}
    assert (await opened(books, vault, made)).principal.permissions == frozenset()


async def test_day_of_the_last_use_is_noted_once_a_day(
    books: SqliteStorage, vault: Vault, stopped_clock: StoppedClock
) -> None:
    made = await tokens.create(books, vault, "auditor", ALL)
    assert tokens.as_fields(made.token, stopped_clock.us)["last_used_on"] is None
    seen = []
    for _ in range(3):
        await opened(books, vault, made)
        seen.append((await tokens.show(books, made.token.public_id)).used_at_us)
        stopped_clock.us += DAY_US // 2
    assert seen[0] is not None and seen[2] == seen[0] + DAY_US and seen[1] in (seen[0], seen[2])
    assert all(day is not None and day % DAY_US == 0 for day in seen)
    assert [entry.action for entry in await audit.page(books)] == []


async def test_token_that_does_not_exist_is_refused(books: SqliteStorage) -> None:
    with pytest.raises(NotFoundError):
        await tokens.show(books, "tok_none")
