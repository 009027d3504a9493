import pytest
from support.operators_pages import SUPPORT
from support.operators_side import OperatorsSide

from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.web.portal.admin import usage
from softix_proxy.web.portal.admin.listing import PER_PAGE

WHOLE_KEY = "sx_live_abcd" + "W" * 29


async def test_usage_page_filters_by_user_key_model_and_errors(side: OperatorsSide) -> None:
    for query in ({"user": "usr_ada"}, {"key": "key_one"}, {"model": "lab/llama"}, {"errors": "yes"}, {}):
        assert format_request_id(1) in (await side.ask(SUPPORT, "GET", "/admin/usage", **query)).text


@pytest.mark.parametrize("query", [{"user": "eve"}, {"key": "none"}, {"model": "none"}, {"from_": "yesterday"}])
async def test_usage_page_with_an_unknown_filter_says_what_to_do(side: OperatorsSide, query: dict[str, str]) -> None:
    seen = await side.ask(SUPPORT, "GET", "/admin/usage", **query)
    assert seen.status == 400 and 'role="alert"' in seen.text and "see: softix" not in seen.text


async def test_usage_page_without_dates_looks_a_month_back(side: OperatorsSide) -> None:
    side.clock.us += 40 * 86_400 * 1_000_000
    assert format_request_id(1) not in (await side.ask(SUPPORT, "GET", "/admin/usage")).text
    assert format_request_id(1) in (await side.ask(SUPPORT, "GET", "/admin/usage", from_="2026-01-01")).text


async def test_usage_pages_follow_each_other_by_the_last_row(side: OperatorsSide) -> None:
    seen = await side.ask(SUPPORT, "GET", "/admin/usage")
    assert seen.values is not None
    rows = seen.values["listing"].rows
    after = await side.ask(SUPPORT, "GET", "/admin/usage", before=str(rows[0].id))
    assert after.values is not None
    assert [row.id for row in after.values["listing"].rows] == [row.id for row in rows[1:]]
    assert (await side.ask(SUPPORT, "GET", "/admin/usage", before="x" * 99)).status == 200


async def test_request_page_works_the_price_out_line_by_line(side: OperatorsSide) -> None:
    text = (await side.ask(SUPPORT, "GET", f"/admin/usage/{format_request_id(1)}")).text
    for part in ("input_tokens", "output_tokens", "7.5%", "llama-3-odd", "provider_timeout", "agreed", "priority"):
        assert part in text


@pytest.mark.parametrize("field", ["user", "key", "model", "from_", "to"])
async def test_usage_page_quotes_no_whole_key_in_any_field(side: OperatorsSide, field: str) -> None:
    seen = await side.ask(SUPPORT, "GET", "/admin/usage", **{field: WHOLE_KEY})
    assert "sx_live_abcd" in seen.text and WHOLE_KEY not in seen.text


async def test_usage_page_leads_on_without_a_whole_key(side: OperatorsSide, monkeypatch: pytest.MonkeyPatch) -> None:
    [row, *_] = await usage.usage.newest(side.storage, limit=1)

    async def many(*_: object, **asked: object) -> object:
        assert asked["key"] == "sx_live_abcd"
        return [row] * (PER_PAGE + 1)

    monkeypatch.setattr(usage.usage, "newest", many)
    seen = await side.ask(SUPPORT, "GET", "/admin/usage", key=WHOLE_KEY)
    assert "key=sx_live_abcd&" in seen.values["listing"].next_path and WHOLE_KEY not in seen.text
