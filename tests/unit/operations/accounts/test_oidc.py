from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from support.books import NOW_US
from support.openid_server import CLIENT_ID, OpenIdServer, serving_openid
from support.people import HOME, People, new_vault

from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import BadInputError, FailureError, RefusedError
from softix_proxy.operations.accounts import ceremonies, oidc
from softix_proxy.operations.accounts.oidc import OidcAnswer
from softix_proxy.upstream.openid_provider import HttpOpenIdProvider

URL = parse_public_url("https://portal.example.org")
SIGN_IN, LINK, CONFIRMATION = CeremonyKind.OIDC_SIGN_IN, CeremonyKind.OIDC_LINK, CeremonyKind.OIDC_CONFIRMATION
BROWSER = b"digest of a cookie"


class Way:
    """The way to the provider and back."""

    def __init__(self, people: People, server: OpenIdServer) -> None:
        self.people = people
        self.server = server
        self.provider = HttpOpenIdProvider(people.clock)
        self.section = OidcSection(issuer=server.issuer, client_id=CLIENT_ID)

    async def begin(
        self,
        kind: CeremonyKind = SIGN_IN,
        *,
        browser: bytes = BROWSER,
        account_id: int | None = None,
        address: str = HOME,
    ) -> str:
        return await oidc.begin(
            self.people.storage,
            self.people.vault,
            self.provider,
            self.section,
            URL,
            kind,
            browser=browser,
            address=address,
            account_id=account_id,
            next_path="/usage",
        )

    async def finish(
        self, back: str, *, browser: bytes = BROWSER, kinds: Collection[CeremonyKind] = (SIGN_IN,)
    ) -> OidcAnswer:
        answer = dict(parse_qsl(urlsplit(back).query))
        return await oidc.finish(
            self.people.storage,
            self.people.vault,
            self.provider,
            self.section,
            URL,
            kinds,
            browser=browser,
            state=answer.get("state", ""),
            code=answer.get("code", ""),
            answered_issuer=answer.get("iss"),
        )

    async def refused(self, back: str, **more: object) -> AccountRefusal:
        with pytest.raises(AccountRefusedError) as error:
            await self.finish(back, **more)  # type: ignore[arg-type]
        return error.value.reason


@pytest.fixture
async def way(people: People) -> AsyncIterator[Way]:
    async with serving_openid(NOW_US // SECOND_US) as server:
        made = Way(people, server)
        await oidc.set_secret(people.storage, people.vault, made.section, server.client_secret)
        yield made


async def test_person_comes_back_with_verified_claims_and_where_to_go_on(way: Way) -> None:
    answer = await way.finish(way.server.browse(await way.begin()))
    assert (answer.verified.subject, answer.account_id, answer.next_path) == ("ada-1", None, "/usage")


async def test_way_of_an_account_ends_in_a_link_of_it(way: Way, people: People) -> None:
    ada = await people.member()
    back = way.server.browse(await way.begin(LINK, account_id=ada.id))
    assert await way.refused(back) is AccountRefusal.CEREMONY_ENDED, "it is no sign-in"
    assert (await way.finish(back, kinds=(LINK,))).account_id == ada.id


async def test_way_that_confirms_who_it_is_asks_anew_and_is_no_other_way(way: Way, people: People) -> None:
    ada = await people.member()
    to = await way.begin(CONFIRMATION, account_id=ada.id)
    asked = dict(parse_qsl(urlsplit(to).query))
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    back = way.server.browse(to)
    assert await way.refused(back, kinds=(SIGN_IN, LINK)) is AccountRefusal.CEREMONY_ENDED
    answer = await way.finish(back, kinds=(LINK, CONFIRMATION))
    assert (answer.kind, answer.account_id, answer.next_path) == (CONFIRMATION, ada.id, "/usage")
    assert "prompt" not in await way.begin() + await way.begin(LINK, account_id=ada.id)


async def test_each_way_has_a_state_a_nonce_and_a_challenge_of_its_own(way: Way) -> None:
    asked = [dict(parse_qsl(urlsplit(await way.begin()).query)) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name] for one in asked}) == 2 and all(len(one[name]) >= 43 for one in asked)
    assert asked[0]["redirect_uri"] == "https://portal.example.org/oidc/callback"


async def test_answer_signs_in_once_and_only_the_browser_that_began(way: Way) -> None:
    """A link with somebody else's answer must sign nobody in as somebody else."""
    back = way.server.browse(await way.begin())
    for browser in (b"", b"another"):
        assert await way.refused(back, browser=browser) is AccountRefusal.CEREMONY_ENDED
    await way.finish(back)
    assert await way.refused(back) is AccountRefusal.CEREMONY_ENDED


async def test_answer_after_ten_minutes_or_with_another_state_is_refused(way: Way, people: People) -> None:
    back = way.server.browse(await way.begin())
    people.clock.us += 600 * SECOND_US
    assert await way.refused(way.server.browse(await way.begin()).replace("state=", "state=x")) is (
        AccountRefusal.CEREMONY_ENDED
    )
    assert await way.refused(back) is AccountRefusal.CEREMONY_ENDED


async def test_person_who_said_no_at_the_provider_is_told_and_the_way_ends(way: Way) -> None:
    way.server.answer = {"code": "", "error": "access_denied"}
    back = way.server.browse(await way.begin())
    assert await way.refused(back) is AccountRefusal.PROVIDER_REFUSED
    assert await way.refused(back) is AccountRefusal.CEREMONY_ENDED


async def test_way_that_began_at_another_issuer_does_not_end_here(way: Way) -> None:
    back = way.server.browse(await way.begin())
    way.section = replace(way.section, issuer="https://login.example.net")
    assert await way.refused(back) is AccountRefusal.CEREMONY_ENDED


async def test_nothing_begins_without_a_provider(way: Way, people: People) -> None:
    way.section = OidcSection()
    with pytest.raises(AccountRefusedError) as error:
        await way.begin()
    assert error.value.reason is AccountRefusal.PROVIDER_MISSING
    with pytest.raises(BadInputError):
        await oidc.set_secret(people.storage, people.vault, way.section, "x")


async def test_ways_of_one_network_slow_down(way: Way) -> None:
    for _ in range(60):
        await way.begin()
    with pytest.raises(RefusedError):
        await way.begin()
    await way.begin(address="198.51.100.9")


async def test_client_secret_opens_for_its_issuer_and_client_only(way: Way, people: People) -> None:
    unit = people.storage.reading()
    known = await oidc.client(unit, people.vault, way.section, URL)
    assert known.client_secret == way.server.client_secret and known.client_secret not in repr(known)
    for other in (replace(way.section, issuer="https://login.example.net"), replace(way.section, client_id="x")):
        assert (await oidc.client(unit, people.vault, other, URL)).client_secret == ""


@pytest.mark.parametrize("secret", ["", "a\nb", "x" * 1025])
async def test_unusable_client_secret_is_refused(way: Way, people: People, secret: str) -> None:
    with pytest.raises(BadInputError) as refused:
        await oidc.set_secret(people.storage, people.vault, way.section, secret)
    assert not secret or secret not in refused.value.message


async def test_client_secret_is_outstanding_under_another_master_key(way: Way, people: People) -> None:
    unit, other = people.storage.reading(), new_vault()
    assert await oidc.SECRET.count(unit, people.vault) == (1, 0)
    assert not await oidc.SECRET.rewrap(people.storage, people.vault)
    assert (await oidc.SECRET.count(unit, other)).outstanding == 1
    with pytest.raises(FailureError):
        await oidc.SECRET.rewrap(people.storage, other)


async def test_content_of_a_way_is_sealed(way: Way, people: People) -> None:
    url = await way.begin()
    nonce = dict(parse_qsl(urlsplit(url).query))["nonce"]
    state = dict(parse_qsl(urlsplit(url).query))["state"]
    unit = people.storage.reading()
    kept = await unit.ceremonies.find(SIGN_IN, ceremonies.digest_of(state), BROWSER, people.clock.us)
    assert kept is not None and nonce.encode() not in kept.sealed
