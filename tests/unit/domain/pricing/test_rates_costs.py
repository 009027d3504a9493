"""What a provider asks, beside what its customer is charged."""

from softix_proxy.domain.core.money import PICO_PER_USD, parse_usd
from softix_proxy.domain.pricing.rates import UNKNOWN_COSTS, PriceSheet, Rate

USD = PICO_PER_USD
OWN = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]})
PROVIDERS = PriceSheet.parse(
    {
        "bands": [
            {"prices": {"input": "2.50", "cached_input": "1.25", "output": "10"}},
            {"prices": {"input": "1.25", "output": "5"}, "service_tier": "batch"},
        ]
    }
)
USED = {"input_tokens": 50_000, "cached_input_tokens": 50_000, "output_tokens": 1_000}


def test_cost_by_its_own_sheet_does_not_change_the_charge() -> None:
    """50,000 × 2.50 + 50,000 × 1.25 + 1,000 × 10.00 asks the provider; 100,000 × 1 + 1,000 × 2 pays the customer."""
    rate = Rate(7, OWN, costs=Rate(3, PROVIDERS))
    assert rate.price(USED) == (parse_usd("0.1975"), parse_usd("0.102"), ())
    assert (rate.cost_price_id, rate.uncosted(USED), Rate(7, OWN).cost_price_id) == (3, (), None)
    assert rate.price(USED, "batch") == (parse_usd("0.13"), parse_usd("0.102"), ("service_tier",))


def test_rate_free_for_the_customer_keeps_the_cost_of_the_provider() -> None:
    assert Rate(7, PriceSheet(()), costs=Rate(3, PROVIDERS)).price(USED) == (parse_usd("0.1975"), 0, ())
    assert Rate(7, OWN, costs=Rate(3, PriceSheet(()))).price(USED) == (0, parse_usd("0.102"), ())


def test_dearest_of_rate_with_cost_sheet_is_by_the_price_of_the_customer() -> None:
    rate = Rate(7, OWN, costs=Rate(3, PROVIDERS))
    assert (rate.dearest_input(), rate.dearest_output()) == (
        Rate(7, OWN).dearest_input(),
        Rate(7, OWN).dearest_output(),
    )


def test_meter_with_customer_price_but_no_cost_is_uncosted() -> None:
    search = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2", "web_search": "10"}}]})
    rate = Rate(7, search, costs=Rate(3, PROVIDERS))
    used = {"input_tokens": 1_000_000, "web_search_calls": 1000}
    assert rate.price(used) == (parse_usd("2.50"), parse_usd("11"), ())
    assert rate.uncosted(used) == ("web_search_calls",)
    assert rate.has_price("web_search_calls") and not rate.has_cost("web_search_calls")
    alone = Rate(7, search, costs=UNKNOWN_COSTS)
    assert alone.price(used) == (0, parse_usd("11"), ())
    assert (alone.cost_price_id, alone.uncosted(used)) == (0, ("input_tokens", "web_search_calls"))
