from typing import Any

import pytest
from support.two_organisations import FOREIGN_KEY, OWN_KEY, OWN_REQUEST, Organisations, shown

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.operations.metering import organisation_usage
from softix_proxy.web.portal.core.page import Download, Page
from softix_proxy.web.portal.product import usage


async def page(house: Organisations, **query: str) -> tuple[Page, str]:
    answer = await usage.show_usage(await house.request("GET", "/usage", query=query))
    assert isinstance(answer, Page)
    return answer, shown(answer, await house.viewer(OrganisationRole.OWNER))


async def test_page_has_chart_sums_and_requests_of_the_organisation(house: Organisations) -> None:
    answer, text = await page(house)
    assert answer.status == 200
    assert text.count("<rect") == 1 and "<title" in text and "<desc" in text
    assert f"/requests/{OWN_REQUEST}" in text and "lab/llama" in text and ">ci<" in text
    assert "sx_live_bbbb" not in text


async def test_filter_stays_in_the_links(house: Organisations) -> None:
    _, text = await page(house, key=OWN_KEY, model="lab/llama", **{"from": "2027-01-01", "to": "2027-01-20"})
    query = f"from=2027-01-01&amp;to=2027-01-20&amp;key={OWN_KEY}&amp;model=lab%2Fllama"
    assert f'href="/usage.csv?{query}"' in text
    assert f'<option value="{OWN_KEY}" selected>' in text and '<option value="lab/llama" selected>' in text


async def test_older_requests_are_behind_a_link(house: Organisations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organisation_usage, "ROWS_AT_ONCE", 1)
    house.use(number=3)
    first, text = await page(house)
    before = first.values["view"].part.before
    assert f"before={before}" in text
    second, text = await page(house, before=str(before))
    assert [line.request_id for line in second.values["lines"]] == [OWN_REQUEST]
    assert "before=" not in text and "#requests" in text


async def test_period_that_is_none_is_told_beside_the_usual_one(house: Organisations) -> None:
    answer, text = await page(house, **{"from": "nonsense"})
    assert answer.status == 400 and 'role="alert"' in text and OWN_REQUEST in text and "nonsense" not in text


async def test_key_of_others_in_the_filter_does_not_exist(house: Organisations) -> None:
    with pytest.raises(NotFoundError):
        await page(house, key=FOREIGN_KEY)
    with pytest.raises(NotFoundError):
        await usage.usage_csv(await house.request("GET", "/usage.csv", query={"key": FOREIGN_KEY}))


async def csv(house: Organisations, **query: str) -> Any:
    return await usage.usage_csv(await house.request("GET", "/usage.csv", query=query))


async def test_csv_has_the_rows_of_the_filter(house: Organisations) -> None:
    answer = await csv(house, **{"from": "2027-01-01", "to": "2027-01-31"})
    assert isinstance(answer, Download)
    assert (answer.file_name, answer.content_type) == (
        "softix-usage-2027-01-01-2027-01-31.csv",
        "text/csv; charset=utf-8",
    )
    lines = b"".join([chunk async for chunk in answer.chunks]).decode().splitlines()
    assert len(lines) == 2 and OWN_REQUEST in lines[1] and lines[0].startswith("row_id,")


async def test_csv_of_a_period_that_is_none_is_refused_before_its_first_byte(house: Organisations) -> None:
    with pytest.raises(BadInputError):
        await csv(house, **{"from": "2027-02-01", "to": "2027-01-01"})


async def test_downloads_beyond_two_wait_for_their_turn(house: Organisations) -> None:
    running = [aiter((await csv(house)).chunks) for _ in range(2)]
    for chunks in running:
        assert (await anext(chunks)).startswith(b"row_id,")
    assert usage._DOWNLOADS.locked()
    for chunks in running:
        await chunks.aclose()
    assert not usage._DOWNLOADS.locked()


async def test_number_of_errors_leads_to_the_requests_that_failed(
    house: Organisations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation_usage, "ROWS_AT_ONCE", 1)
    house.use(number=3, error="provider_error", status_code=502)
    house.use(number=4, error="provider_error", status_code=502)
    answer, text = await page(house)
    assert answer.values["view"].whole.errors == 2 and "errors_only=yes#requests" in text
    assert "These are the requests that failed" not in text and "Show everything" not in text
    found: list[str] = []
    before: dict[str, str] = {}
    for _ in range(2):
        answer, text = await page(house, errors_only="yes", **before)
        found += [line.request_id for line in answer.values["lines"]]
        before = {"before": str(answer.values["view"].part.before)}
        assert "These are the requests that failed" in text and "Show everything" in text
        assert answer.values["view"].whole.requests == 3, "sums count all requests"
    assert len(found) == 2 and OWN_REQUEST not in found
    assert "errors_only=yes&amp;before=" in (await page(house, errors_only="yes"))[1]
