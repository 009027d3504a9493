"""The names by which people know users, which are organisations."""

from __future__ import annotations

from softix_proxy.domain.ports.storage import Unit


async def name_of(unit: Unit, user_id: int) -> str:
    """Returns the name by which people know the user: the display name, or else the name that commands take."""
    names = await unit.users.display_names([user_id])
    return names.get(user_id) or (await unit.users.get(user_id)).name
