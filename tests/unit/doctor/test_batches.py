from support.books import StoppedClock

from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.metering.batches import Batch
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import providers
from softix_proxy.settings import Settings


async def wait_for(settings: Settings, *made_at_us: int) -> None:
    async with assembly.open_instance(settings) as opened:
        storage, vault = opened.storage, await opened.vault()
        await users.create(storage, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=False)
        await keys.create(storage, vault, user="ada")
        kind = ProviderType.OPENAI_COMPATIBLE
        await providers.add(storage, vault, name="lab", kind=kind, base_url="http://lab:8000")
        async with storage.writing() as unit:
            for number, at_us in enumerate(made_at_us, 1):
                await unit.batches.add(Batch(number, "openai", 1, "", 1, 1, f"b{number}", 1, at_us), {})


async def test_batch_check_without_a_late_batch_is_ok(made: Settings, look) -> None:
    clock = StoppedClock()
    await wait_for(made, clock.us - 2 * DAY_US + 1)
    [found] = await look("batches", clock=clock)
    assert (found.severity, found.message) == (Severity.OK, "no batch is late (1 waited for)")


async def test_batch_check_with_a_late_batch_warns_with_the_remedy(made: Settings, look) -> None:
    clock = StoppedClock()
    await wait_for(made, clock.us, clock.us - 3 * DAY_US)
    [found] = await look("batches", clock=clock)
    assert found.severity is Severity.WARNING and "lab has not ended a batch of ada in 3 days" in found.message
    assert "$0.00 is held" in found.message and "softix batches settle req_" in found.remedy


async def test_batch_check_with_many_late_batches_counts_the_rest(made: Settings, look) -> None:
    clock = StoppedClock()
    await wait_for(made, *[clock.us - 2 * DAY_US] * 12)
    findings = await look("batches", clock=clock)
    assert len(findings) == 11 and findings[-1].message == "2 more batches are late"
