from dataclasses import replace
from hashlib import sha256

from softix_proxy.domain.accounts.audit import FIRST, AuditAction, AuditEntry, chained

ENTRY = AuditEntry(1, 7, "acc_ada", AuditAction.SET_ROLE, "acc_bob")


def test_hash_of_an_entry_is_that_of_its_values_and_the_hash_before() -> None:
    told = b'[1, 7, "acc_ada", "set_role", "acc_bob"]'
    assert chained(FIRST, ENTRY).sha256 == sha256(bytes(32) + told).digest()


def test_hash_of_an_entry_changes_with_each_value_and_with_the_hash_before() -> None:
    others = [
        replace(ENTRY, id=2),
        replace(ENTRY, at_us=8),
        replace(ENTRY, actor="acc_eve"),
        replace(ENTRY, action=AuditAction.REVOKE_KEY),
        replace(ENTRY, subject="acc_eve"),
    ]
    hashes = {chained(FIRST, one).sha256 for one in [ENTRY, *others]} | {chained(b"\x01" * 32, ENTRY).sha256}
    assert len(hashes) == len(others) + 2
