import secrets
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.ports.vault import PEPPER_PLACE, Identity
from softix_proxy.vault.master_key import CREDENTIAL, MasterKeySources, create
from softix_proxy.vault.master_key_store import MasterKeyStore


@pytest.fixture
def keeper(tmp_path: Path) -> MasterKeyStore:
    return MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))


def switched(keeper: MasterKeyStore, before: Identity) -> Identity:
    """What the database holds once the next key is the instance's."""
    vault = keeper.open_next(before)
    pepper = vault.rewrap_secret(before.sealed_pepper, *PEPPER_PLACE)
    return Identity(vault.master_key_id, vault.check_value(), pepper)


def test_master_key_store_creates_a_key_only_without_one(keeper: MasterKeyStore, tmp_path: Path) -> None:
    assert keeper.source() is None
    with pytest.raises(FailureError, match="the master key is missing"):
        keeper.new_identity()
    assert keeper.create()
    assert not keeper.create()
    assert keeper.source() == "file"
    given = MasterKeyStore(MasterKeySources(tmp_path / "other.key", None, {"SOFTIX_MASTER_KEY": secrets.token_hex(32)}))
    assert not given.create()
    assert given.source() == "environment"
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_master_key_store_with_a_wrong_or_missing_key_refuses_to_open(keeper: MasterKeyStore, tmp_path: Path) -> None:
    keeper.create()
    identity = keeper.new_identity()
    assert keeper.open(identity).master_key_id == identity.key_id
    (tmp_path / "master.key").unlink()
    with pytest.raises(FailureError) as caught:
        keeper.open(identity)
    assert caught.value.message == "the master key is missing"
    assert str(tmp_path / "master.key") in caught.value.remedy
    keeper.create()
    with pytest.raises(FailureError, match="the master key is not this instance's") as caught:
        keeper.open(identity)
    assert identity.key_id in caught.value.remedy


def test_next_vault_opens_what_the_first_sealed(keeper: MasterKeyStore) -> None:
    keeper.create()
    before = keeper.new_identity()
    first = keeper.open(before)
    blob = first.seal_secret("x", "t")
    following = keeper.open_next(before)
    assert following.master_key_id == keeper.next_key_id() != first.master_key_id
    assert following.open_secret(blob, "t") == "x"
    assert first.open_secret(following.seal_secret("y", "t"), "t") == "y"
    assert keeper.open_next(before).master_key_id == following.master_key_id


def test_master_key_named_by_the_database_is_opened(keeper: MasterKeyStore) -> None:
    keeper.create()
    before = keeper.new_identity()
    after = switched(keeper, before)
    assert keeper.open(before).master_key_id == before.key_id
    assert keeper.open(after).master_key_id == after.key_id != before.key_id


def test_next_master_key_put_in_place_replaces_the_file(keeper: MasterKeyStore, tmp_path: Path) -> None:
    keeper.create()
    before = keeper.new_identity()
    running = keeper.open(before)
    after = switched(keeper, before)
    assert keeper.put_in_place(after.key_id)
    assert (keeper.key_id(), keeper.next_key_id()) == (after.key_id, None)
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    fresh = keeper.open(after).seal_secret("x", "t")
    assert running.open_secret(fresh, "t") == "x"
    assert keeper.put_in_place(after.key_id)


def test_master_key_from_the_environment_is_put_in_place_by_the_operator(tmp_path: Path) -> None:
    environ = {"SOFTIX_MASTER_KEY": secrets.token_hex(32)}
    keeper = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, environ))
    after = switched(keeper, keeper.new_identity())
    assert not keeper.put_in_place(after.key_id)
    assert keeper.open(after).master_key_id == after.key_id
    environ["SOFTIX_MASTER_KEY"] = (tmp_path / "master.key.next").read_text()
    assert keeper.put_in_place(after.key_id)
    assert list(tmp_path.iterdir()) == []
    assert keeper.open(after).master_key_id == after.key_id


def test_next_master_key_of_a_stranger_is_left_in_place(keeper: MasterKeyStore, tmp_path: Path) -> None:
    keeper.create()
    create(tmp_path / "master.key.next")
    mine = keeper.key_id() or ""
    assert keeper.put_in_place(mine)
    assert not keeper.put_in_place("00" * 8)
    assert keeper.next_key_id() not in (None, mine)
    assert keeper.key_id() == mine


def test_master_key_change_during_another_is_refused(keeper: MasterKeyStore) -> None:
    with keeper.changing(), pytest.raises(ConflictError, match="another process"), keeper.changing():
        pass
    with keeper.changing():
        pass


def test_vault_that_was_opened_before_a_change_seals_by_the_new_key(keeper: MasterKeyStore) -> None:
    """A daemon goes on while the master key is changed. What it seals meanwhile, and later, opens after its restart."""
    keeper.create()
    identity = keeper.new_identity()
    daemon = keeper.open(identity)
    after = switched(keeper, identity)
    meanwhile = daemon.seal_secret("x", "t")
    assert keeper.put_in_place(after.key_id)
    later = daemon.seal_secret("y", "t")
    restarted = keeper.open(after)
    assert (restarted.open_secret(meanwhile, "t"), restarted.open_secret(later, "t")) == ("x", "y")
    assert daemon.open_secret(later, "t") == "y"


def test_vault_with_a_key_of_the_environment_seals_by_that_key(tmp_path: Path) -> None:
    given = MasterKeyStore(
        MasterKeySources(tmp_path / "master.key", None, {"SOFTIX_MASTER_KEY": secrets.token_hex(32)})
    )
    vault = given.open(given.new_identity())
    assert vault.sealed_by(vault.seal_secret("x", "t")) == vault.master_key_id


def test_vault_with_a_key_of_systemd_does_not_seal_by_a_file_that_is_left(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / CREDENTIAL).write_text(secrets.token_hex(32))
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    given = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, environ))
    create(tmp_path / "master.key")
    vault = given.open(given.new_identity())
    assert vault.sealed_by(vault.seal_secret("x", "t")) == vault.master_key_id
