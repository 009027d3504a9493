"""The rows of templates, and where they are the default."""

from __future__ import annotations

import json
from collections.abc import Sequence

from softix_proxy.domain.access.templates import (
    WHOLE_INSTANCE,
    LimitTemplate,
    TemplateCap,
    TemplateDefault,
    TemplateKind,
    TemplatePart,
)
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted


def _read_parts(text: str) -> tuple[TemplatePart, ...]:
    parts = (TemplatePart(**part) for part in json.loads(text))
    return tuple(part._replace(caps=tuple(TemplateCap(**cap) for cap in part.caps)) for part in parts)  # type: ignore[arg-type] # they are mappings until then


def _write_parts(parts: Sequence[TemplatePart]) -> str:
    return json.dumps([{**part._asdict(), "caps": [cap._asdict() for cap in part.caps]} for part in parts])


_TEMPLATE = RecordMapping(
    LimitTemplate, "id", "name", "kind", "created_at_us", parts=converted(_read_parts, _write_parts)
)
_DEFAULT = RecordMapping(TemplateDefault, *TemplateDefault._fields)
_PLACE = "template_id = ? AND kind = ? AND user_id = ?"


class SqliteTemplateStore:
    """Stores templates."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, template: LimitTemplate) -> LimitTemplate:
        columns = _TEMPLATE.row(template)
        del columns["id"]
        try:
            number = await self._session.insert("limit_templates", columns)
        except IntegrityError:
            raise ConflictError(
                f"there is a template {template.name!r} already", "see: softix templates list"
            ) from None
        row = await self._session.one(f"SELECT {_TEMPLATE.select()} FROM limit_templates WHERE id = ?", number)
        return _TEMPLATE.read(row or ())

    async def find(self, name: str) -> LimitTemplate | None:
        row = await self._session.one(f"SELECT {_TEMPLATE.select()} FROM limit_templates WHERE name = ?", name)
        return _TEMPLATE.read(row) if row else None

    async def list(self) -> Sequence[LimitTemplate]:
        rows = await self._session.all(f"SELECT {_TEMPLATE.select()} FROM limit_templates ORDER BY name")
        return _TEMPLATE.read_all(rows)

    async def set_parts(self, template_id: int, parts: Sequence[TemplatePart]) -> None:
        await self._session.update("limit_templates", {"parts": _write_parts(parts)}, "id = ?", template_id)

    async def remove(self, template_id: int) -> None:
        await self._session.run("DELETE FROM template_defaults WHERE template_id = ?", template_id)
        await self._session.run("DELETE FROM limit_templates WHERE id = ?", template_id)

    async def set_default(self, default: TemplateDefault) -> None:
        await self._session.run(
            "DELETE FROM template_defaults WHERE kind = ? AND user_id = ?", default.kind, default.user_id
        )
        await self._session.insert("template_defaults", _DEFAULT.row(default))

    async def clear_default(self, default: TemplateDefault) -> None:
        await self._session.run(
            f"DELETE FROM template_defaults WHERE {_PLACE}", default.template_id, default.kind, default.user_id
        )

    async def defaults(self) -> Sequence[TemplateDefault]:
        rows = await self._session.all(f"SELECT {_DEFAULT.select()} FROM template_defaults ORDER BY kind, user_id")
        return _DEFAULT.read_all(rows)

    async def default_for(self, kind: TemplateKind, user_id: int) -> LimitTemplate | None:
        row = await self._session.one(
            f"SELECT {_TEMPLATE.select()} FROM limit_templates WHERE id = (SELECT template_id FROM template_defaults"
            " WHERE kind = ?1 AND user_id IN (?2, ?3) ORDER BY user_id DESC LIMIT 1)",
            kind,
            user_id,
            WHOLE_INSTANCE,
        )
        return _TEMPLATE.read(row) if row else None
