import secrets

from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.operations.catalog import providers
from softix_proxy.settings import Settings


async def add(settings: Settings, *names: str) -> list[str]:
    keys = ["sk-" + secrets.token_urlsafe(24) for _ in names]
    async with assembly.open_instance(settings) as opened:
        vault = await opened.vault()
        for name, key in zip(names, keys, strict=True):
            await providers.add(opened.storage, vault, name=name, kind=ProviderType.OPENAI, key=key)
    return keys


async def test_master_key_check_that_opens_every_secret_is_ok(made: Settings, look) -> None:
    await add(made, "one", "two")
    first, second = await look("master-key")
    assert (first.severity, second.severity) == (Severity.OK, Severity.OK)
    assert second.message == "it opens the keys of 2 providers"


async def test_master_key_check_with_another_key_or_none_reports_an_error(made: Settings, look) -> None:
    made.paths.master_key.write_text(secrets.token_hex(32))
    [other] = await look("master-key")
    made.paths.master_key.unlink()
    [none] = await look("master-key")
    assert (other.severity, none.severity) == (Severity.ERROR, Severity.ERROR)
    assert "is not this instance's" in other.message
    assert none.message == "the master key is missing"


async def test_master_key_check_with_a_secret_that_does_not_open_names_its_provider_only(
    made: Settings, look, books
) -> None:
    keys = await add(made, "good", "moved", "torn")
    books.execute("UPDATE providers SET base_url = 'https://elsewhere.example' WHERE name = 'moved'")
    books.execute("UPDATE providers SET sealed_key = zeroblob(90) WHERE name = 'torn'")
    findings = await look("master-key")
    broken = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert [finding.remedy for finding in broken] == [
        "give it again: softix providers set-key moved",
        "give it again: softix providers set-key torn",
    ]
    assert "it opens the keys of 1 provider" in [finding.message for finding in findings]
    assert not any(key in repr(findings) for key in keys)


async def test_master_key_check_with_an_unfinished_rotation_warns(made: Settings, look) -> None:
    following = made.paths.master_key.with_name("master.key.next")
    following.write_text(secrets.token_hex(32))
    following.chmod(0o600)
    found = (await look("master-key"))[-1]
    assert (found.severity, found.remedy) == (Severity.WARNING, "run: softix secrets rotate")
