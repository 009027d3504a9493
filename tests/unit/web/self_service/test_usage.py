from typing import Any


async def test_usage_page_of_an_unknown_request_is_not_found(place: Any) -> None:
    assert (await place.ask("GET", "/v1/usage/req_0000000000000"))[0] == 404
    assert (await place.ask("GET", "/v1/usage/nonsense"))[0] == 404
