"""The rows of users and their wallets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted, text_list

USER = RecordMapping(
    User,
    "id",
    "public_id",
    "name",
    "email",
    "created_at_us",
    role=converted(UserRole),
    status=converted(UserStatus),
    postpaid=converted(bool),
    regions=text_list(),
)
_CHANGEABLE = ("name", "email", "role", "status", "postpaid", "regions")


class SqliteUserStore:
    """Stores users."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, user: User) -> User:
        try:
            added = USER.row(user, "public_id", "created_at_us", *_CHANGEABLE)
            number = await self._session.insert("users", added)
        except IntegrityError:
            raise _taken(user) from None
        await self._session.insert("wallets", {"user_id": number})
        return await self.get(number)

    async def find(self, reference: str) -> User | None:
        row = await self._session.one(
            f"SELECT {USER.select()} FROM users"
            " WHERE CASE WHEN instr(?1, '@') THEN email = ?1 ELSE public_id = ?1 OR name = ?1 END"
            " ORDER BY public_id = ?1 DESC",
            reference,
        )
        return USER.read(row) if row else None

    async def get(self, user_id: int) -> User:
        row = await self._session.one(f"SELECT {USER.select()} FROM users WHERE id = ?", user_id)
        if row is None:
            raise NotFoundError(f"no user with the number {user_id}")
        return USER.read(row)

    async def list(self) -> Sequence[User]:
        return USER.read_all(await self._session.all(f"SELECT {USER.select()} FROM users ORDER BY id"))

    async def page(self, search: str, before_id: int | None, limit: int) -> Sequence[User]:
        rows = await self._session.all(
            f"SELECT {USER.select()} FROM users WHERE {is_before('?1')} AND (?2 = '' OR public_id = ?2"
            " OR instr(lower(name), lower(?2)) OR instr(lower(email), lower(?2)) OR EXISTS (SELECT 1 FROM user_profiles"
            " WHERE user_id = users.id AND instr(lower(display_name), lower(?2)))) ORDER BY id DESC LIMIT ?3",
            before_id,
            search,
            limit,
        )
        return USER.read_all(rows)

    async def counts(self) -> Mapping[UserStatus, int]:
        rows = await self._session.all("SELECT status, count(*) FROM users GROUP BY status")
        return {UserStatus(status): number for status, number in rows}

    async def update(self, user: User) -> None:
        try:
            await self._session.update("users", USER.row(user, *_CHANGEABLE), "id = ?", user.id)
        except IntegrityError:
            raise _taken(user) from None

    async def display_names(self, user_ids: Sequence[int] | None = None) -> Mapping[int, str]:
        rows = await self._session.all(
            "SELECT user_id, display_name FROM user_profiles"
            " WHERE ?1 IS NULL OR user_id IN (SELECT value FROM json_each(?1))",
            None if user_ids is None else json.dumps(list(user_ids)),
        )
        return {row[0]: row[1] for row in rows}

    async def set_display_name(self, user_id: int, display_name: str | None) -> None:
        if display_name is None:
            await self._session.run("DELETE FROM user_profiles WHERE user_id = ?", user_id)
            return
        await self._session.run(
            "INSERT INTO user_profiles (user_id, display_name) VALUES (?1, ?2)"
            " ON CONFLICT (user_id) DO UPDATE SET display_name = ?2",
            user_id,
            display_name,
        )

    async def set_password_hash(self, user_id: int, password_hash: str | None) -> None:
        await self._session.update("users", {"password_hash": password_hash}, "id = ?", user_id)


def _taken(user: User) -> ConflictError:
    return ConflictError(
        f"the name {user.name!r} or the e-mail {user.email!r} is taken", "choose another, or: softix users list"
    )
