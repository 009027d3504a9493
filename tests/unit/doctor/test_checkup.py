import random
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from support.process import ROOT

from softix_proxy.doctor import checkup
from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, Severity, ok
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core import engine


async def test_checkup_of_a_new_instance_is_well(made: Settings, look) -> None:
    findings = await look()
    assert checkup.is_well(findings)
    assert list(dict.fromkeys(finding.check for finding in findings)) == list(checkup.CHECKS)
    assert all(finding.remedy for finding in findings if finding.severity is not Severity.OK)


async def test_checkup_with_named_checks_runs_only_these(made: Settings, look) -> None:
    assert {finding.check for finding in await look("clock", "ledger")} == {"clock", "ledger"}


async def test_check_that_raises_becomes_a_finding_after_its_earlier_ones(
    made: Settings, look, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(_: CheckContext) -> AsyncIterator[Observation]:
        yield ok("first")
        raise FailureError("broken", "mend it")

    async def breaks(_: CheckContext) -> AsyncIterator[Observation]:
        yield ok("first")
        raise ValueError("a secret")

    monkeypatch.setattr(checkup, "CHECKS", {"refuses": refuses, "breaks": breaks})
    found = [(item.check, item.severity.value, item.message) for item in await look()]
    assert found == [
        ("refuses", "ok", "first"),
        ("refuses", "error", "broken"),
        ("breaks", "ok", "first"),
        ("breaks", "error", "this could not be checked: ValueError"),
    ]


async def test_checkup_without_an_instance_reports_every_check_and_makes_nothing(settings: Settings, look) -> None:
    findings = await look()
    assert {finding.check for finding in findings} == set(checkup.CHECKS)
    assert not checkup.is_well(findings)
    assert not settings.paths.data_dir.exists()


@pytest.mark.parametrize("seed", range(12))
async def test_checkup_of_a_damaged_database_reports_every_check(made: Settings, look, seed: int) -> None:
    chance = random.Random(seed)
    database = made.paths.database
    content = bytearray(database.read_bytes())
    for _ in range(chance.choice([1, 20, 200])):
        place = chance.randrange(len(content))
        content[place : place + 64] = chance.randbytes(64)
    database.write_bytes(content[: chance.randrange(1, 2 * len(content))])
    assert {finding.check for finding in await look()} == set(checkup.CHECKS)


@pytest.mark.parametrize("version", ["0001", "0005", "0008"])
async def test_checkup_of_an_older_database_names_migrate_as_the_remedy(settings: Settings, look, version: str) -> None:
    settings.paths.data_dir.mkdir(mode=0o700)
    settings.paths.database.touch(mode=0o600)
    with closing(engine.connect(settings.paths.database)) as connection:
        connection.execute((ROOT / f"tests/contract/databases/{version}.sql").read_text())
        findings = await look()
    wrong = [found for found in findings if found.severity is Severity.ERROR]
    assert {found.check for found in wrong} <= {"master-key"}  # the dump's own is nowhere
    unchecked = [found for found in findings if found.message.startswith("not checked")]
    assert {found.severity for found in unchecked} == {Severity.WARNING}
    assert all("migrations" in found.remedy for found in unchecked)
    [migrations] = [found for found in findings if found.check == "migrations"]
    assert "softix migrate" in migrations.remedy
