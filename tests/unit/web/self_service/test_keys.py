from typing import Any


async def test_key_page_returns_the_balance_and_spend_of_the_key(place: Any) -> None:
    _, _, fields = await place.ask("GET", "/v1/key")
    assert (fields["id"], fields["balance"], fields["available"], fields["currency"]) == (
        "key_ada",
        "10.00",
        "10.00",
        "USD",
    )
    assert fields["spent"]["total"] == "0.00" and "key" not in fields
