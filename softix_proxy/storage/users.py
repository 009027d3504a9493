"""Users and their wallets' rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from softix_proxy.domain.errors import ConflictError, NotFoundError
from softix_proxy.domain.users import User
from softix_proxy.storage.database import DatabaseSession
from softix_proxy.storage.directory import USER, to_user
from softix_proxy.storage.engine_sqlite import IntegrityError


class SqliteUserStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, user: User) -> User:
        try:
            number = await self._session.run(
                "INSERT INTO users (public_id, name, email, role, status, postpaid, created_at_us, regions)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                user.public_id,
                user.name,
                user.email,
                user.role,
                user.status,
                user.postpaid,
                user.created_at_us,
                json.dumps(user.regions),
            )
        except IntegrityError:
            raise _taken(user) from None
        await self._session.run("INSERT INTO wallets (user_id) VALUES (?)", number)
        return await self.get(number)

    async def find(self, reference: str) -> User | None:
        row = await self._session.one(
            f"SELECT {USER} FROM users WHERE public_id = ?1 OR name = ?1 OR email = ?1"
            " ORDER BY public_id = ?1 DESC, email = ?1 DESC",
            reference,
        )
        return to_user(row) if row else None

    async def get(self, user_id: int) -> User:
        row = await self._session.one(f"SELECT {USER} FROM users WHERE id = ?", user_id)
        if row is None:
            raise NotFoundError(f"no user with the number {user_id}")
        return to_user(row)

    async def list(self) -> Sequence[User]:
        return [to_user(row) for row in await self._session.all(f"SELECT {USER} FROM users ORDER BY id")]

    async def update(self, user: User) -> None:
        try:
            await self._session.run(
                "UPDATE users SET name = ?, email = ?, role = ?, status = ?, postpaid = ?, regions = ? WHERE id = ?",
                user.name,
                user.email,
                user.role,
                user.status,
                user.postpaid,
                json.dumps(user.regions),
                user.id,
            )
        except IntegrityError:
            raise _taken(user) from None

    async def set_password_hash(self, user_id: int, password_hash: str | None) -> None:
        await self._session.run("UPDATE users SET password_hash = ? WHERE id = ?", password_hash, user_id)


def _taken(user: User) -> ConflictError:
    return ConflictError(
        f"the name {user.name!r} or the e-mail {user.email!r} is taken", "choose another, or: softix users list"
    )
