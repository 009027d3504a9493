"""A migration that is on main is never edited: databases exist that ran it as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from softix_proxy.storage.sqlite.core import migrations

pytestmark = pytest.mark.only_engine("sqlite", reason="reads its migrations")

_FROZEN = Path(__file__).with_name("frozen_migrations.txt")


def test_every_migration_has_the_text_with_which_it_landed() -> None:
    frozen = dict(line.split() for line in _FROZEN.read_text("ascii").splitlines())
    now = {f"{number:04d}_{name}": migrations.hash_of(folder).hex() for number, name, folder in migrations.available()}
    assert len(frozen) == len(now) > 0
    for name, digest in now.items():
        assert name in frozen, f"a new migration: add the line `{name} {digest}` to {_FROZEN.name}"
        assert frozen[name] == digest, f"{name} was edited: put it back, and write the change as a new migration"
