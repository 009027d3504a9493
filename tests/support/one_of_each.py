"""One of everything that is stored, written by the names of fields alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from support.one_payment import write_payment

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.access.objects import ObjectShare
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.billing.bill import Customer, Document, DocumentKind, DocumentTotals, Party, StoredDocument
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderKey, ProviderStatus, ProviderType
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import CASH, Transfer
from softix_proxy.domain.ledger.periods import ClosedPeriod
from softix_proxy.domain.metering.admission import Admitted, Intent
from softix_proxy.domain.metering.batches import Batch, KeptFile
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.settlement import FailedAttempt, Settlement
from softix_proxy.domain.metering.usage import Correction, UsageFilter, UsageSource
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.prices import MarkupVersion, PriceVersion, Proposal
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.reporting.manifests import Manifest
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg, RouteStatus, Timeouts
from softix_proxy.domain.routing.target_health import Breaker, TargetStats
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.group import CommitGroup
from softix_proxy.storage.sqlite.write_path.statements import NOTE_UNPRICED

NOW_US = 1_800_000_000_000_000
USD = 10**12
EVER = Span(0, 2**62)
ADA, LAB, LLAMA = 1, 1, 1


async def write_directory(unit: Unit) -> None:
    await write_user(unit)
    await write_models(unit)
    await write_key(unit)
    await write_prices(unit)
    await write_route(unit)


async def write_user(unit: Unit) -> None:
    user = User(
        id=0,
        public_id="usr_ada",
        name="ada",
        email="ada@example.org",
        role=UserRole.BILLING,
        status=UserStatus.ACTIVE,
        postpaid=True,
        created_at_us=11,
        regions=("eu", "us"),
    )
    await unit.users.add(user)


async def write_models(unit: Unit) -> None:
    await unit.providers.add(
        Provider(
            id=0,
            public_id="prv_lab",
            name="lab",
            type=ProviderType.DEMO,
            base_url="http://127.0.0.1:9",
            sealed_key=b"sealed",
            on_hang_up="drain",
            status=ProviderStatus.ACTIVE,
            created_at_us=12,
            region="eu",
            key_weight=3,
            more_keys=(ProviderKey(public_id="pk_b", label="b", sealed=b"other", weight=2),),
            version_in_url=True,
            drop_fields=("seed",),
        )
    )
    await unit.models.add_all(
        [
            Model(
                id=0,
                name="llama",
                provider_id=LAB,
                upstream_name="llama-3",
                context_tokens=4000,
                max_output_tokens=500,
                status=ModelStatus.ACTIVE,
                created_at_us=13,
            )
        ]
    )


async def write_key(unit: Unit) -> None:
    key = Key(
        id=0,
        public_id="key_one",
        user_id=ADA,
        label="ci",
        prefix="sx_live_one",
        digest=b"\x01",
        models=("ll*",),
        allow_ip=("10.0.0.0/8",),
        limits=KeyLimits(rpm=60, tpm=70_000, concurrency=8, cap_pico=9 * USD, cap_period="month"),
        status=KeyStatus.ACTIVE,
        expires_at_us=2 * NOW_US,
        created_at_us=14,
        regions=("eu",),
        earlier_models=("l*",),
    )
    await unit.keys.add(key)


async def write_route(unit: Unit) -> None:
    waits = Timeouts(connect_ms=1, first_byte_ms=2, idle_ms=3)
    leg = RouteLeg(model_id=LLAMA, weight=4, tier=5, timeouts=waits, concurrency=6)
    await unit.routes.add(
        ModelRoute(
            id=0,
            public_id="rte_one",
            name="fast",
            legs=(leg,),
            retries=2,
            sticky=False,
            timeouts=Timeouts(connect_ms=7, first_byte_ms=8, idle_ms=9),
            status=RouteStatus.DISABLED,
            created_at_us=15,
        )
    )
    breaker = Breaker(failures=1, open_until_us=2, pauses=3, probing=True)
    await unit.routes.report(
        4, [TargetStats(model_id=LLAMA, breaker=breaker, in_flight=5, requests=6, failures=7, latency_us=8)]
    )


async def write_prices(unit: Unit) -> None:
    sheet = PriceSheet.parse({"bands": [{"prices": {"input": "2.50", "output": "10.00"}}]})
    shared: dict[str, Any] = {"id": 0, "model_id": LLAMA, "sheet": sheet}
    await unit.prices.add_all(
        [
            PriceVersion(**shared, user_id=None, source="operator", starts_at_us=16, created_at_us=17),
            PriceVersion(**shared, user_id=ADA, source="customer", starts_at_us=18, created_at_us=19),
        ]
    )
    await unit.prices.add_markup(
        MarkupVersion(
            id=0,
            scope="user",
            subject_id=ADA,
            factor=Fraction(43, 40),
            starts_at_us=20,
            created_at_us=21,
            fee_pico=22,
        )
    )
    await unit.prices.propose([Proposal(**shared, user_id=ADA, source="customer", starts_at_us=23, created_at_us=24)])


def intent(number: int, revision: int) -> Intent:
    return Intent(
        request_id=number,
        revision=revision,
        user_id=ADA,
        postpaid=True,
        key_id=1,
        limits=KeyLimits(rpm=60, tpm=70_000),
        provider_id=LAB,
        model_id=LLAMA,
        price_id=2,
        endpoint="/v1/messages",
        stream=number % 2 == 0,
        bound=Bound(fixed_pico=USD),
        tokens_estimate=100,
        started_at_us=NOW_US - number,
    )


def settlement(of: Intent) -> Settlement:
    failed = FailedAttempt(
        provider_id=LAB,
        model_id=LLAMA,
        price_id=1,
        markup=Fraction(11, 10),
        source=UsageSource.INTERRUPTED,
        status_code=504,
        error="provider_timeout",
        latency_ms=25,
        meters={"input_tokens": 26},
        service_tier="flex",
        bound_pico=27,
        cost_pico=28,
        charge_pico=29,
        cost_price_id=0,
    )
    return Settlement(
        intent=of,
        hold_pico=USD,
        tokens_held=100,
        source=UsageSource.PARTIAL,
        status_code=206,
        meters={name: number for number, name in enumerate(METERS, 30)},
        service_tier="priority",
        model_served="llama-3-odd",
        markup=Fraction(43, 40),
        fee_pico=60,
        cost_pico=61 + of.request_id,
        charge_pico=USD // 4,
        error="provider_broke_off",
        note="clamped",
        latency_ms=62,
        ttfb_ms=63,
        cost_price_id=1,
        failed=(failed,),
    )


def write_requests(connection: SqliteConnection, now_us: int) -> None:
    """Five are admitted, and three of them settled."""
    [(revision,)] = connection.execute("SELECT value FROM directory_revision").fetchall()
    intents = [intent(number, revision) for number in range(1, 6)]
    for step in ("admit", "settle"):
        connection.execute("BEGIN IMMEDIATE")
        group = CommitGroup(connection, 7, now_us)
        group.load(intents)
        if step == "admit":
            assert all(isinstance(decision, Admitted) for decision in group.admit(intents))
        else:
            assert all(group.settle([settlement(one) for one in intents[:3]]))
        group.save()
        connection.execute("COMMIT")
    connection.execute(NOTE_UNPRICED, (LLAMA, NOW_US))


async def write_books(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        paid = Transfer(
            id=0,
            from_account=CASH,
            to_account=ADA,
            amount_pico=5 * USD,
            kind="top-up",
            reference="pay-1",
            note="thanks",
        )
        await unit.ledger.post(paid)
        await unit.balance.set_credit(ADA, 64)
        [row] = await unit.usage.after(UsageFilter(), 0, 1)
        correction = Correction(
            corrects=row,
            request_id=1000,
            cost_pico=-1,
            charge_pico=-USD // 8,
            price_id=1,
            markup=Fraction(3, 2),
            note="agreed",
            fee_pico=2,
            cost_price_id=1,
        )
        await unit.ledger.correct(correction)
        await unit.instance.set("pepper", b"\x00\xff")
    async with storage.writing() as unit:
        days = [day async for day in unit.ledger.misdated(Span(NOW_US, NOW_US + 9))]
        await unit.ledger.redate(days[0][0], NOW_US + DAY_US, "clock")


async def write_papers(unit: Unit) -> None:
    contents = await unit.periods.contents(Span(0, NOW_US))
    await unit.periods.add(
        ClosedPeriod(
            id=0,
            label="before",
            zone="Europe/Berlin",
            span=Span(0, NOW_US),
            closed_at_us=NOW_US + 1,
            sums=(await unit.periods.contents(EVER)).sums,
            rows_sha256=contents.rows_sha256,
        )
    )
    manifest = Manifest(
        number=1,
        created_at="2027",
        name="out.csv",
        format="csv",
        rows=3,
        body_sha256="ab" * 32,
        previous_sha256=None,
        public_key="cd",
        signature=b"signed",
    )
    await unit.manifests.add(manifest)
    await unit.bill.set_customer(Customer(user_id=ADA, party=Party(name="Ada Ltd")))
    await unit.bill.add(
        StoredDocument(
            id=0,
            user_id=ADA,
            document=document(),
            span=Span(1, NOW_US),
            covers=True,
            issued_at_us=NOW_US + 2,
            exact_pico=65,
            carried_pico=66,
        ),
        "INV-",
    )
    await write_batch(unit)

    await write_payment(unit)


async def write_batch(unit: Unit) -> None:
    batch = Batch(
        id=4,
        family="openai",
        provider_id=LAB,
        provider_key="main",
        user_id=ADA,
        key_id=1,
        remote_id="batch_1",
        requests=2,
        created_at_us=67,
        metered_at_us=None,
        input_file="file_0",
    )
    await unit.batches.add(batch, {"digest": 4})
    await unit.batches.keep_file(
        KeptFile(
            provider_id=LAB,
            provider_key="main",
            user_id=ADA,
            key_id=1,
            remote_id="file_1",
            created_at_us=68,
            batch_id=4,
        )
    )
    await unit.objects.share(
        ObjectShare(
            kind="vector_store",
            remote_id="vs_1",
            provider_id=LAB,
            provider="lab",
            provider_key="main",
            user_id=ADA,
            user="ada",
            created_at_us=69,
        )
    )


def document() -> Document:
    nothing = Decimal("0.00")
    return Document(
        number="",
        kind=DocumentKind.INVOICE,
        issued_on=date(2027, 1, 1),
        due_on=None,
        period="2026-12",
        first_day=None,
        last_day=None,
        currency="USD",
        seller=Party(name="Example GmbH"),
        buyer=Party(name="Ada Ltd"),
        user="usr_ada",
        lines=(),
        totals=DocumentTotals(net=nothing, tax=nothing, gross=nothing, paid=nothing, due=nothing),
        tax=None,
        ledger=None,
    )
