from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.access.users import UserRole
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts, verification
from softix_proxy.settings import Settings


async def make(settings: Settings, number: int, statement: str = "") -> list[str]:
    """Makes users, changes them as an earlier version could have left them, and returns their ids."""
    async with assembly.open_instance(settings) as opened:
        made = [
            await users.create(
                opened.storage, name=f"u{each}", email=f"u{each}@example.org", role=UserRole.USER, postpaid=False
            )
            for each in range(number)
        ]
        if statement:
            async with opened.storage.writing() as unit:
                await unit.users._session.run(statement)
    return [user.public_id for user in made]


async def test_identity_check_of_plain_names_and_addresses_is_ok(made: Settings, look) -> None:
    await make(made, 2)
    [found] = await look("identities")
    assert (found.severity, found.message) == (Severity.OK, "every user has a name and an e-mail address (2)")


async def test_identity_check_names_users_whose_id_became_their_name(made: Settings, look) -> None:
    first, second = await make(made, 2, "UPDATE users SET name = public_id WHERE name = 'u1'")
    [found] = await look("identities")
    assert found.severity is Severity.WARNING and second in found.message and first not in found.message
    assert found.remedy == f"softix users update {second} --name NAME"


async def test_identity_check_names_addresses_to_which_nothing_can_be_sent(made: Settings, look) -> None:
    await make(made, 12, "UPDATE users SET email = email || ',evil'")
    findings = await look("identities")
    assert len(findings) == 11 and findings[-1].message == "2 more users need another name or address"
    assert "--email ADDRESS" in findings[0].remedy and "evil" not in str(findings)


async def test_identity_check_names_people_whose_address_a_user_has_that_they_do_not_belong_to(
    made: Settings, look
) -> None:
    [user] = await make(made, 1)
    async with assembly.open_instance(made) as opened:
        account = (await accounts.create(opened.storage, await opened.vault(), email="U0@example.org")).account
        assert len(await look("identities")) == 1, "nobody verified the address"
        async with opened.storage.writing() as unit:
            await verification.welcome(unit, account)
        [found] = await look("identities")
        assert found.severity is Severity.WARNING and "example" not in str(found)
        assert found.remedy.endswith(f"softix accounts connect {account.public_id} {user}")
        await accounts.connect(opened.storage, account.public_id, user)
    [found] = await look("identities")
    assert found.severity is Severity.OK
