from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.ledger.payments import PaymentState
from softix_proxy.domain.ports.payment_gateway import GatewayAccount
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.instance import instance
from softix_proxy.operations.ledger import checkouts, payment_keys, payment_setup, payment_sweeps
from softix_proxy.operations.ledger.payment_setup import PaymentSetup
from softix_proxy.vault.master_key import MasterKeySources
from softix_proxy.vault.master_key_store import MasterKeyStore

WEBHOOK = f"whsec_{secrets.token_hex(16)}"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


@pytest.fixture
async def vault(lab: Paying, tmp_path: Path) -> Vault:
    keeper = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    keeper.create()
    identity = keeper.new_identity()
    await instance.record(lab.storage, identity)
    return keeper.open(identity)


async def set_up(lab: Paying, vault: Vault, **changes: object) -> PaymentSetup:
    values = {
        "secret_key": lab.fake.secret_key,
        "webhook_secret": None,
        "public_url": "https://portal.example.org",
        "api_base": None,
        **changes,
    }
    return await payment_setup.set_up(lab.storage, vault, lab.context.gateway, **values)  # type: ignore[arg-type] # of their types


async def test_setup_makes_the_webhook_once_and_says_that_this_is_test_mode(lab: Paying, vault: Vault) -> None:
    done = await set_up(lab, vault)
    assert (done.webhook, done.webhook_url) == ("made", "https://portal.example.org/webhooks/stripe")
    assert any("test mode" in note for note in done.notes)
    assert (await payment_keys.load(lab.storage.reading(), vault)).webhook_secret == lab.fake.webhook_secret
    assert (await set_up(lab, vault)).webhook == "kept"
    assert len(lab.fake.of("webhook_endpoint")) == 1


async def test_setup_that_stripe_cannot_reach_says_what_to_do(lab: Paying, vault: Vault) -> None:
    lab.fake.currency = "eur"
    done = await set_up(lab, vault, public_url="http://localhost:8485")
    assert done.webhook == "missing" and any("--webhook-secret-file" in note for note in done.notes)
    assert any("EUR" in note for note in done.notes) and lab.fake.of("webhook_endpoint") == []
    [by_hand] = [note for note in done.notes if "Developers" in note]
    assert "cannot reach http://localhost:8485/webhooks/stripe." in by_hand
    assert all(kind in by_hand for kind in payment_setup.EVENTS)
    given = await set_up(lab, vault, public_url="http://localhost:8485", webhook_secret=WEBHOOK)
    assert given.webhook == "given"


async def test_setup_without_an_address_says_which_setting_is_missing(lab: Paying, vault: Vault) -> None:
    done = await set_up(lab, vault, public_url="")
    assert (done.webhook, done.webhook_url) == ("missing", "")
    assert any("portal.public_url is not set" in note for note in done.notes)
    assert not any("cannot reach" in note for note in done.notes)


async def test_setup_goes_on_if_stripe_does_not_tell_about_the_account(
    lab: Paying, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(self: object) -> GatewayAccount:
        return GatewayAccount("", False, None, "", "")

    monkeypatch.setattr(type(lab.context.gateway), "account", unknown)
    done = await set_up(lab, vault)
    assert done.webhook == "made" and await payment_keys.stored(lab.storage.reading()) == 2
    assert any("does not tell a restricted key" in note for note in done.notes)
    assert not any("settles in" in note for note in done.notes)


async def test_setup_refuses_a_wrong_secret_and_an_account_that_cannot_charge(
    lab: Paying, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInputError):
        await set_up(lab, vault, webhook_secret="")
    assert lab.fake.requests == []

    async def closed(self: object) -> GatewayAccount:
        return GatewayAccount("acct_1", False, False, "usd", "US")

    monkeypatch.setattr(type(lab.context.gateway), "account", closed)
    with pytest.raises(ConflictError, match="cannot charge"):
        await set_up(lab, vault)
    assert await payment_keys.stored(lab.storage.reading()) == 0


async def test_key_of_another_account_needs_its_option_and_forgets_what_only_the_old_one_has(
    lab: Paying, vault: Vault
) -> None:
    await set_up(lab, vault)
    unit = lab.storage.reading()
    customer = await checkouts.customer_of(lab.context, lab.user)
    waiting, paid = await lab.payment(await lab.begin(4000)), await lab.paid(2500)
    await payment_sweeps.sweep(lab.context)
    key, lab.fake.account_id = f"sk_test_{secrets.token_hex(16)}", "acct_other"
    with pytest.raises(ConflictError, match="acct_other, and the keys before it were of acct_fake") as caught:
        await set_up(lab, vault, secret_key=key)
    assert "--new-account" in caught.value.remedy
    assert (await payment_keys.load(unit, vault)).secret_key == lab.fake.secret_key
    assert await unit.payments.customer(1, False) == customer
    lab.fake.webhook_secret = f"whsec_{secrets.token_hex(20)}"
    done = await set_up(lab, vault, secret_key=key, new_account=True)
    assert done.webhook == "made" and any("saved cards" in note and "1 unfinished" in note for note in done.notes)
    keys = await payment_keys.load(unit, vault)
    assert (keys.secret_key, keys.webhook_secret) == (key, lab.fake.webhook_secret)
    assert await unit.payments.customer(1, False) is None
    assert (await unit.payments.get(waiting.id)).state is PaymentState.EXPIRED
    assert await unit.payments.get(paid.id) == paid
    assert await unit.instance.get("payments_swept_us_test") == b"0"
    again = await set_up(lab, vault, secret_key=key, new_account=True)
    assert again.webhook == "kept" and not any("saved cards" in note for note in again.notes)


async def test_first_key_of_the_other_mode_forgets_no_customer(lab: Paying, vault: Vault) -> None:
    await set_up(lab, vault)
    customer = await checkouts.customer_of(lab.context, lab.user)
    live = f"sk_live_{secrets.token_hex(16)}"
    account = GatewayAccount("acct_live", True, True, "usd", "US")
    with_account = {"secret_key": live, "webhook_secret": WEBHOOK, "account_id": account.id}
    assert await payment_keys.store(lab.storage, vault, **with_account) is None
    assert await lab.storage.reading().payments.customer(1, False) == customer
    assert (await set_up(lab, vault)).webhook == "made"


async def test_status_asks_nobody(lab: Paying, vault: Vault) -> None:
    before = await payment_setup.status(lab.storage, vault, enabled=False, api_base=None)
    assert (before.key, before.webhook, before.open_payments) == ("missing", False, 0)
    await set_up(lab, vault)
    await lab.begin(2500)
    lab.fake.requests.clear()
    after = await payment_setup.status(lab.storage, vault, enabled=True, api_base=None)
    assert (after.key, after.webhook, after.open_payments, after.open_refunds) == ("test", True, 1, 0)
    assert lab.fake.requests == []
