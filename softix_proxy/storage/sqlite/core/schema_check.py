"""Compares the schema of a database with the one that this program's migrations make from nothing.

The number of a schema says which migrations ran, and not what they did: one may have been edited after it had run.
Then the program writes rows that the database refuses, although the number is right.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.storage.sqlite.core import engine, migrations
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

_OBJECTS = """
SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql IS NOT NULL"""
_CHECKED = "schema_checked"
REMEDY = "stop softix, and restore a backup of a released version; or start the softix that made this database"


class SchemaDifference(NamedTuple):
    """One object of the schema that is not as softix makes it."""

    kind: str
    """The kind of the object: table, index or trigger."""
    name: str
    fault: str
    """One of: is missing, is another one, is not softix's."""

    @property
    def breaks(self) -> bool:
        """Whether softix may not work with it. It works beside an object that is not its own."""
        return self.fault != _STRANGE

    @property
    def message(self) -> str:
        return f"the {self.kind} {self.name} of the database {self.fault}"


_MISSING, _CHANGED, _STRANGE = "is missing", "is another one than this softix makes", "is not softix's"


def differences(connection: SqliteConnection) -> list[SchemaDifference]:
    """Returns how the schema of an open, migrated database differs. Raises DatabaseError."""
    found, right = _objects(connection), _fresh()
    changed = [
        SchemaDifference(kind, name, _CHANGED if (kind, name) in found else _MISSING)
        for (kind, name), digest in right.items()
        if not hmac.compare_digest(found.get((kind, name), b""), digest)
    ]
    strange = [SchemaDifference(kind, name, _STRANGE) for kind, name in found if (kind, name) not in right]
    return changed + strange


def edited(connection: SqliteConnection) -> list[str]:
    """Returns the migrations that ran with another text than they have today."""
    known = migrations.known_hashes(connection)
    return [
        f"{number:04d}_{name}"
        for number, name, folder in migrations.available()
        if number in known and not hmac.compare_digest(known[number], migrations.hash_of(folder))
    ]


def require_same(path: Path) -> None:
    """Raises FailureError with the first difference that breaks something.

    The result is kept in the database, so that only the first start of a version builds a schema to compare with.
    """
    with closing(engine.connect(path)) as connection:
        mark = _mark(_objects(connection))
        kept = connection.execute("SELECT value FROM instance WHERE name = ?", (_CHECKED,)).fetchone()
        if kept is not None and hmac.compare_digest(bytes(kept[0]), mark):
            return
        breaking = [each for each in differences(connection) if each.breaks]
        if not breaking:
            connection.execute("INSERT OR REPLACE INTO instance (name, value) VALUES (?, ?)", (_CHECKED, mark))
    if breaking:
        more = f" (and {len(breaking) - 1} more differences)" if len(breaking) > 1 else ""
        raise FailureError(f"{breaking[0].message}{more}", REMEDY)


def _fresh() -> Mapping[tuple[str, str], bytes]:
    with closing(engine.connect(Path(":memory:"), make=True)) as connection:
        for _, _, folder in migrations.available():
            connection.execute(folder.joinpath("up.sql").read_text("utf-8"))
        return _objects(connection)


def _mark(objects: Mapping[tuple[str, str], bytes]) -> bytes:
    """Returns the hash of a schema together with the migrations that this program would make it by."""
    digest = sha256()
    for _, _, folder in migrations.available():
        digest.update(migrations.hash_of(folder))
    for key in sorted(objects):
        digest.update(repr(key).encode() + objects[key])
    return digest.digest()


def _objects(connection: SqliteConnection) -> Mapping[tuple[str, str], bytes]:
    """Returns the hash of each object's text, without differences in white space."""
    return {
        (kind, name): sha256(" ".join(text.split()).encode()).digest()
        for kind, name, text in connection.execute(_OBJECTS)
    }
