from dataclasses import replace
from hashlib import sha256

from softix_proxy.domain.accounts.audit import (
    FIRST,
    VERSION,
    ActorKind,
    AuditChange,
    AuditEntry,
    Channel,
    Outcome,
    as_text,
    chained,
    changes_of,
)

ENTRY = AuditEntry(1, 7, "acc_ada", "set_role", "acc_bob")


def test_hash_of_an_entry_of_the_first_version_is_that_of_its_values_and_the_hash_before() -> None:
    told = b'[1, 7, "acc_ada", "set_role", "acc_bob"]'
    assert chained(FIRST, ENTRY).sha256 == sha256(bytes(32) + told).digest()


def test_hash_of_an_entry_changes_with_each_value_and_with_the_hash_before() -> None:
    others = [
        replace(ENTRY, id=2),
        replace(ENTRY, at_us=8),
        replace(ENTRY, actor="acc_eve"),
        replace(ENTRY, action="revoke_key"),
        replace(ENTRY, subject="acc_eve"),
    ]
    hashes = {chained(FIRST, one).sha256 for one in [ENTRY, *others]} | {chained(b"\x01" * 32, ENTRY).sha256}
    assert len(hashes) == len(others) + 2


NEW = replace(ENTRY, version=VERSION, action="accounts.set-role", channel=Channel.CLI)


def test_hash_of_an_entry_has_its_version_first_and_everything_else() -> None:
    told = b'[2, 1, 7, "acc_ada", "accounts.set-role", "acc_bob", "account", "cli", "done", "[]"]'
    assert chained(FIRST, NEW).sha256 == sha256(bytes(32) + told).digest()
    others = [
        replace(NEW, version=3),
        replace(NEW, actor_kind=ActorKind.TOKEN),
        replace(NEW, channel=Channel.API),
        replace(NEW, outcome=Outcome.REFUSED),
        replace(NEW, changes='[{"kind":"key"}]'),
    ]
    assert len({chained(FIRST, one).sha256 for one in [NEW, *others]}) == len(others) + 1


def test_changes_are_read_as_they_were_written() -> None:
    changes = [
        AuditChange("key", "key_one", None, {"rpm": 5}),
        AuditChange("key", "key_two", {"rpm": 5}, {"rpm": None}, ("label",)),
        AuditChange("member", "usr_ada/acc_bob", {"role": "owner"}, None),
    ]
    assert changes_of(replace(NEW, changes=as_text(changes))) == changes


def test_differences_name_each_value_before_and_after() -> None:
    changed = AuditChange("key", "key_one", {"rpm": 5, "tpm": 7}, {"rpm": None, "tpm": 8})
    assert changed.differences == [("rpm", 5, None), ("tpm", 7, 8)]
    assert AuditChange("key", "key_two", None, {"rpm": 5}).differences == [("rpm", None, 5)]
    assert AuditChange("key", "key_two", {"rpm": 5}, None).differences == [("rpm", 5, None)]
