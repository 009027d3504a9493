import secrets

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.vault import PEPPER_PLACE, Identity, Vault
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault, new_identity, open_vault


@pytest.fixture
def master() -> MasterKey:
    return MasterKey(secrets.token_bytes(32))


@pytest.fixture
def vault(master: MasterKey) -> Vault:
    return open_vault(master, new_identity(master), KeyRing([master]))


def test_vault_secret_of_text_or_bytes_opens_as_text(vault: Vault, master: MasterKey) -> None:
    secret = "sk-é" + secrets.token_urlsafe(8)
    for given in (secret, secret.encode()):
        blob = vault.seal_secret(given, "providers", "prv_1")
        assert vault.open_secret(blob, "providers", "prv_1") == secret
        assert vault.sealed_by(blob) == vault.master_key_id == master.id


def test_vault_shows_only_its_key_id(vault: Vault, master: MasterKey) -> None:
    assert repr(vault) == f"MasterVault({master.id})"
    assert vault.check_value() == master.check_value


def test_api_key_digest_after_a_change_of_the_master_key_is_the_same(vault: Vault, master: MasterKey) -> None:
    new, before = MasterKey(secrets.token_bytes(32)), new_identity(master)
    old_vault = open_vault(master, before, KeyRing([master]))
    key = old_vault.new_api_key()
    new_vault = open_vault(new, before, KeyRing([new, master]))
    pepper = new_vault.rewrap_secret(before.sealed_pepper, *PEPPER_PLACE)
    after = open_vault(new, Identity(new.id, new.check_value, pepper), KeyRing([new]))
    assert after.digest(key.text) == new_vault.digest(key.text) == key.digest
    assert vault.digest(key.text) != key.digest


def test_vault_opens_another_key_s_secret_once_the_key_is_found(master: MasterKey) -> None:
    new, looked = MasterKey(secrets.token_bytes(32)), []
    blob = MasterVault(new, b"pepper", KeyRing([new])).seal_secret("x", "t")

    def look(key_id: str) -> MasterKey | None:
        looked.append(key_id)
        return new if key_id == new.id else None

    vault = MasterVault(master, b"pepper", KeyRing([master], look))
    assert [vault.open_secret(blob, "t") for _ in range(3)] == ["x"] * 3
    assert looked == [new.id]
    with pytest.raises(FailureError, match=f"sealed by the master key {new.id}, which is not at hand"):
        MasterVault(master, b"pepper", KeyRing([master])).open_secret(blob, "t")


def test_identity_shows_no_bytes(master: MasterKey) -> None:
    assert repr(new_identity(master)) == f"Identity(key_id='{master.id}')"


def test_vault_password_hash_verifies_only_its_password(vault: Vault) -> None:
    text = secrets.token_urlsafe(8)
    hashed = vault.hash_password(text)
    assert vault.verify_password(hashed, text)
    assert not vault.verify_password(hashed, "other")


def test_vault_recognises_a_text_by_a_digest_that_another_instance_does_not_make(vault: Vault) -> None:
    other = MasterKey(secrets.token_bytes(32))
    made = vault.keyed_digest("network", "192.0.2.7")
    assert made == vault.keyed_digest("network", "192.0.2.7") != vault.keyed_digest("e-mail", "192.0.2.7")
    assert open_vault(other, new_identity(other), KeyRing([other])).keyed_digest("network", "192.0.2.7") != made
