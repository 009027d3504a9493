"""The commands against a fake Stripe in a thread of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result, _NamedTextIOWrapper
from support.described_answers import require_answer
from support.fake_stripe import FakeStripe, serving_stripe
from support.one_payment import write_payment

from softix_proxy import assembly
from softix_proxy.cli.ledger.payments import refund_fields
from softix_proxy.domain.core.clock import SystemClock, from_us
from softix_proxy.domain.ledger.ledger import CASH, Transfer
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentKind, PaymentPosting, PaymentState, PostingCause
from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    """In a thread of its own, because a command has a loop of its own."""
    made, is_over = FakeStripe(), asyncio.Event()
    ready: Future[asyncio.AbstractEventLoop] = Future()

    async def serve() -> None:
        async with serving_stripe(made):
            ready.set_result(asyncio.get_running_loop())
            await is_over.wait()

    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(asyncio.run, serve())
        wait((ready, serving), return_when=FIRST_COMPLETED)
        assert ready.done(), serving.exception()
        try:
            yield made
        finally:
            ready.result().call_soon_threadsafe(is_over.set)
            serving.result()


@pytest.fixture
def key(fake: FakeStripe, instance: Path, run: Softix) -> Path:
    (instance / "config.toml").write_text(
        '[portal]\npublic_url = "https://portal.example.org"\n'
        f'[payments]\nenabled = true\napi_base = "{fake.base_url}"\n'
    )
    run("users create ada --email ada@example.org")
    file = instance / "stripe.key"
    file.write_text(fake.secret_key)
    return file


def test_setup_checks_the_account_stores_the_key_and_makes_the_webhook(
    fake: FakeStripe, key: Path, run: Softix, read: Read
) -> None:
    assert read("payments status")["mode"] == "missing"
    done = read(f"payments setup --key-file {key}")
    assert done == {
        "account": "acct_fake",
        "mode": "TEST",
        "country": "US",
        "webhook": "made",
        "webhook_url": "https://portal.example.org/webhooks/stripe",
    }
    assert fake.webhook_url == "https://portal.example.org/webhooks/stripe"
    shown = run("payments status")
    assert "TEST MODE" in shown.stderr
    assert read("payments status") == {
        "enabled": True, "mode": "TEST", "webhook": True, "open_payments": 0, "open_refunds": 0, "last_event_at": None,
    }  # fmt: skip
    assert read(f"payments setup --key-file {key}")["webhook"] == "kept"
    assert fake.secret_key not in run(f"payments setup --key-file {key} --new-webhook").output


def test_setup_without_a_key_uses_the_stored_one(key: Path, run: Softix, read: Read) -> None:
    assert "there is no key of Stripe" in run("payments setup", code=1).stderr
    run(f"payments setup --key-file {key}")
    assert read("payments setup")["webhook"] == "kept"


def test_setup_asks_for_a_key_only_if_none_is_stored(
    fake: FakeStripe, key: Path, run: Softix, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(text: str, **_: object) -> str:
        asked.append(text)
        return fake.secret_key

    monkeypatch.setattr(click, "prompt", answer)
    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    assert "made" in run("payments setup").output
    assert "kept" in run("payments setup").output
    assert asked == ["API key for Stripe"]


def test_setup_takes_a_restricted_key_that_may_not_look_up_the_account(
    fake: FakeStripe, key: Path, run: Softix, read: Read
) -> None:
    fake.secret_key = f"rk_test_{secrets.token_hex(16)}"
    fake.faults.forbidden = {"account"}
    key.write_text(fake.secret_key)
    done = read(f"payments setup --key-file {key}")
    assert (done["account"], done["country"], done["webhook"]) == (None, None, "made")
    assert "does not tell a restricted key" in run(f"payments setup --key-file {key}").stderr


def test_setup_refuses_an_empty_or_short_secret_of_the_webhook(
    key: Path, run: Softix, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret, said in (("", "no key in what was given"), ("whsec_short", "not the secret of a webhook")):
        monkeypatch.setenv("HOOK", secret)
        assert said in run(f"payments setup --key-file {key} --webhook-secret-env HOOK", code=2).stderr
    assert (
        "more than one source"
        in run(f"payments setup --key-file {key} --webhook-secret-env HOOK --webhook-secret-file {key}", code=2).stderr
    )
    key.write_text("sk_test_short")
    assert "not a secret key" in run(f"payments setup --key-file {key}", code=2).stderr


def test_setup_without_a_public_address_says_what_to_click(
    fake: FakeStripe, key: Path, run: Softix, instance: Path
) -> None:
    config = instance / "config.toml"
    config.write_text(config.read_text().replace("https://portal.example.org", "http://localhost:8485"))
    done = run(f"payments setup --key-file {key}")
    assert "Developers → Webhooks" in done.stderr and "test mode" in done.stderr
    config.write_text(config.read_text().replace('[portal]\npublic_url = "http://localhost:8485"\n', ""))
    assert "portal.public_url is not set" in run(f"payments setup --key-file {key}").stderr


def test_commands_that_ask_stripe_say_what_is_missing(key: Path, run: Softix) -> None:
    assert "softix payments setup" in run("payments sweep", code=1).stderr
    assert "no payment" in run("payments show pay_nobody", code=1).stderr
    assert "no refund" in run("payments approve-refund rfd_nobody --yes", code=1).stderr
    assert "three amounts" in run("payments set-auto-top-up ada@example.org", code=2).stderr


def test_automatic_top_up_is_set_and_ended_and_lists_are_empty_at_first(key: Path, run: Softix, read: Read) -> None:
    run(f"payments setup --key-file {key}")
    amounts = "--threshold 5.00 --amount 25.00 --monthly-cap 100.00"
    made = read(f"payments set-auto-top-up ada@example.org {amounts}")
    assert (made["enabled"], made["threshold"], made["amount"], made["monthly_cap"]) == (
        True,
        "5.00",
        "25.00",
        "100.00",
    )
    assert read("payments set-auto-top-up ada@example.org --off")["enabled"] is False
    assert read("payments list") == [] == read("payments refunds")
    assert read("payments sweep") == {"payments": 0, "changed": 0, "failed": 0}


def documents(read: Read) -> list[tuple[str, Any]]:
    """What the doctor says about documents: the severity and the remedy."""
    found = read("doctor --only payments")["findings"]
    return [(one["severity"], one["remedy"]) for one in found if "without a document" in one["message"]]


async def post_taxed(folder: Path, at_us: int) -> None:
    """A payment of $29.75 for $25.00 of credit, whose receipt was not issued."""
    settings = assembly.read_settings(None, folder)
    async with assembly.open_instance(settings) as opened, opened.storage.writing() as unit:
        ada = await unit.users.find("ada")
        assert ada is not None
        open_ = OnlinePayment(
            0, f"pay_{at_us}", ada.id, PaymentKind.CHECKOUT, PaymentState.PAID, 2500, 475, True, at_us
        )
        payment = await unit.payments.add(open_)
        credit_pico = 25 * 10**12
        await unit.ledger.post(Transfer(0, CASH, ada.id, credit_pico, "top-up", payment.public_id), at_us)
        await unit.payments.record(PaymentPosting(at_us, payment.id, PostingCause.PAYMENT, credit_pico, 2975, 1))


def test_doctor_counts_payments_without_a_document_and_its_remedies_give_it(
    key: Path, instance: Path, run: Softix, read: Read
) -> None:
    run(f"payments setup --key-file {key}")
    now = from_us(SystemClock().now_us())
    before = now.replace(day=1) - timedelta(days=3)
    asyncio.run(post_taxed(instance, int(before.timestamp()) * 10**6))
    assert documents(read) == []  # no seller is named, so nothing is issued
    config, seller = instance / "config.toml", '[billing]\nseller_name = "Example GmbH"\n'
    for setting in ('seller_country = "DE"', 'seller_vat_id = "DE123456789"'):
        config.write_text(f"{config.read_text().partition('[billing]')[0]}{seller}")
        assert documents(read) == [("warning", f"set billing.{setting.partition(' ')[0]}")]
        seller += f"{setting}\n"
    config.write_text(f"{config.read_text().partition('[billing]')[0]}{seller}")
    [(_, remedy)] = documents(read)
    run(remedy.removeprefix("softix ").replace("…", "AT"))
    [(_, remedy)] = documents(read)
    close, bill = remedy.split(", then: ")
    run(close.removeprefix("softix "))
    assert documents(read) == [("warning", bill)]
    run(bill.removeprefix("softix "))
    assert documents(read) == []
    assert "receipt" in [one["kind"] for one in read("bill list")]
    asyncio.run(post_taxed(instance, int(now.timestamp()) * 10**6))
    assert documents(read) == [("ok", None)]


def test_payment_is_listed_and_shown_with_the_name_of_its_user(
    key: Path, instance: Path, run: Softix, read: Read
) -> None:
    async def write() -> None:
        settings = assembly.read_settings(None, instance)
        async with assembly.open_instance(settings) as opened, opened.storage.writing() as unit:
            await write_payment(unit)

    asyncio.run(write())
    [listed] = read("payments list")
    shown = read("payments show pay_one")
    assert listed["user_name"] == shown["user_name"] == "ada"
    assert {**listed, "refundable": "0.00"} == shown


def test_fields_of_a_refund_are_those_that_are_described() -> None:
    for state in RefundState:
        request = RefundRequest(1, "rfd_0123456789abcdef", 1, 500, state, 7, answered_at_us=9)
        fields = refund_fields(request, "pay_0123456789abcdef")
        for operation in ("payments.refund", "payments.approve-refund", "payments.refuse-refund"):
            require_answer(operation, fields)
        require_answer("payments.refunds", [fields])
