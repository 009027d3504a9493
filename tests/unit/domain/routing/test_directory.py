from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.pricing.prices import MarkupVersion, PriceScope, PriceSource, PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet, Rate
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg

SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]})
FREE = PriceSheet.parse({"free": True})
ADA, BOB, MODEL, OTHER = 1, 2, 10, 11


def price(
    number: int, source: PriceSource, starts: int = 0, *, model: int = MODEL, sheet: PriceSheet = SHEET
) -> PriceVersion:
    return PriceVersion(number, model, ADA if source == "customer" else None, source, sheet, starts, 0)


def markup(number: int, scope: PriceScope, subject: int | None, percent: int, starts: int = 0) -> MarkupVersion:
    return MarkupVersion(number, scope, subject, 1 + Fraction(percent, 100), starts, 0)


def directory(*rows: PriceVersion | MarkupVersion) -> Directory:
    made = Directory()
    prices = tuple(row for row in rows if isinstance(row, PriceVersion))
    markups = tuple(row for row in rows if isinstance(row, MarkupVersion))
    made.apply(Changes(1, prices=prices, markups=markups))
    return made


def applied(made: Directory, user: int = ADA, now: int = 100, model: int = MODEL) -> tuple[int, int] | None:
    """(price version, mark-up in percent)"""
    rate = made.rate(user, model, now)
    return None if rate is None else (rate.price_id, int((rate.markup - 1) * 100))


# Prices


def made_at(number: int, us: int, source: PriceSource = "operator", starts_at_us: int | None = None) -> PriceVersion:
    return PriceVersion(number, MODEL, None, source, SHEET, us if starts_at_us is None else starts_at_us, us)


def test_price_started_at_once_applies_when_the_clock_is_behind_its_creation() -> None:
    made = directory(
        made_at(1, 500), markup(1, "default", None, 5), MarkupVersion(2, "default", None, Fraction(2), 500, 500)
    )
    assert applied(made, now=100) == (1, 100)


def test_price_made_while_the_clock_was_ahead_is_superseded_for_good() -> None:
    made = directory(made_at(1, 100), made_at(2, 900))
    assert applied(made, now=110) == (2, 0)
    made.apply(Changes(2, prices=(made_at(3, 110), made_at(4, 111, starts_at_us=950))))
    assert [applied(made, now=now) for now in (110, 899, 900, 949, 950)] == [(3, 0)] * 4 + [(4, 0)]
    assert directory(*(made_at(3, 110), made_at(2, 900), made_at(1, 100))).rate(ADA, MODEL, 901).price_id == 3  # type: ignore[union-attr]


def test_rate_at_an_earlier_instant_ignores_prices_made_since() -> None:
    made = directory(made_at(1, 100), made_at(2, 200))
    assert made.rate_then(ADA, MODEL, 150).price_id == 1  # type: ignore[union-attr]
    ahead = directory(made_at(1, 900))
    assert ahead.rate_then(ADA, MODEL, 150).price_id == 1, "it was in force all the same"  # type: ignore[union-attr]


def test_rate_without_price_is_none() -> None:
    made = directory(price(1, "operator", model=OTHER), markup(1, "default", None, 5))
    assert applied(made) is None


def test_rate_with_several_price_sources_prefers_customer_then_operator_then_catalogue() -> None:
    rows = (price(1, "customer", 1), price(2, "operator", 2), price(3, "catalogue", 3))
    assert applied(directory(*rows)) == (1, 0)
    assert applied(directory(*rows), user=BOB) == (2, 0)
    assert applied(directory(rows[2])) == (3, 0)


def test_rate_with_several_price_versions_is_of_the_latest_started() -> None:
    made = directory(price(3, "operator", 10), price(1, "operator", 20), price(2, "operator", 200))
    assert [applied(made, now=now) for now in (9, 10, 19, 20, 199, 200)] == [
        None,
        (3, 0),
        (3, 0),
        (1, 0),
        (1, 0),
        (2, 0),
    ]


def test_rate_with_two_prices_of_the_same_start_is_of_the_later_made() -> None:
    assert applied(directory(price(5, "operator", 10), price(4, "operator", 10))) == (5, 0)


def test_rate_with_future_price_is_of_the_lower_source_until_its_start() -> None:
    made = directory(price(1, "catalogue"), price(2, "operator", 150), price(3, "customer", 160))
    assert [applied(made, now=now) for now in (149, 150, 160)] == [(1, 0), (2, 0), (3, 0)]


def test_rate_with_free_price_is_a_free_rate() -> None:
    rate = directory(price(1, "operator", sheet=FREE)).rate(ADA, MODEL, 100)
    assert rate is not None and rate.sheet.free


# Mark-ups


@pytest.mark.parametrize(
    ("scopes", "percent"),
    [
        ((), 0),
        (("default",), 1),
        (("default", "model"), 2),
        (("default", "user"), 3),
        (("model", "user", "default"), 3),
    ],
)
def test_markup_with_several_scopes_prefers_user_then_model_then_default(scopes: tuple[str, ...], percent: int) -> None:
    versions = {
        "default": markup(1, "default", None, 1, 30),
        "model": markup(2, "model", MODEL, 2, 20),
        "user": markup(3, "user", ADA, 3, 10),
    }
    made = directory(price(1, "catalogue"), *(versions[scope] for scope in scopes))
    assert applied(made) == (1, percent)


def test_markup_of_a_user_or_model_applies_to_its_own_subject_only() -> None:
    # A user and a model with the same number.
    made = directory(price(1, "catalogue"), markup(1, "user", MODEL, 4), markup(2, "model", ADA, 5))
    assert applied(made) == (1, 0)
    assert applied(made, user=MODEL) == (1, 4)


def test_rate_with_customer_price_has_no_markup() -> None:
    made = directory(
        price(1, "customer"), price(2, "operator"), markup(1, "user", ADA, 9), markup(2, "default", None, 8)
    )
    assert applied(made) == (1, 0)
    assert applied(made, user=BOB) == (2, 8)


def test_request_fee_is_that_of_the_markup_that_applies() -> None:
    rows = (price(1, "operator"), price(2, "operator", model=OTHER, sheet=FREE), price(3, "customer", model=OTHER + 1))
    fees = (
        MarkupVersion(1, "default", None, Fraction(1), 0, 0, 50),
        MarkupVersion(2, "user", ADA, Fraction(2), 70, 0, 7),
        MarkupVersion(3, "user", ADA, Fraction(2), 80, 0),
    )
    made = directory(*rows, *fees)

    def fee(user: int, now: int, model: int = MODEL) -> int | None:
        rate = made.rate(user, model, now)
        return rate.request_fee_pico if rate else None

    assert [fee(ADA, now) for now in (69, 70, 80)] == [50, 7, 0]
    assert fee(BOB, 80) == 50
    assert fee(BOB, 80, OTHER) == 0, "free is free"
    assert fee(ADA, 70, OTHER + 1) == 0, "a customer's own price is what they pay"


def test_markup_with_future_start_applies_from_then_on() -> None:
    made = directory(
        price(1, "catalogue"),
        markup(1, "default", None, 5, 50),
        markup(2, "default", None, 6, 60),
        markup(3, "user", ADA, 7, 70),
    )
    assert [applied(made, now=now) for now in (49, 50, 60, 70)] == [(1, 0), (1, 5), (1, 6), (1, 7)]


def test_rate_is_reused_until_price_or_markup_changes() -> None:
    made = directory(price(1, "catalogue"))
    assert made.rate(ADA, MODEL, 100) is made.rate(BOB, MODEL, 101)
    made.apply(Changes(2, markups=(markup(1, "default", None, 5),)))
    assert applied(made) == (1, 5)


prices_to_draw = st.tuples(st.sampled_from(["catalogue", "operator", "customer"]), st.integers(0, 5))
markups_to_draw = st.tuples(st.sampled_from(["default", "model", "user"]), st.integers(0, 5), st.integers(0, 9))


@given(st.lists(prices_to_draw, max_size=6), st.lists(markups_to_draw, max_size=6), st.integers(0, 5))
def test_rate_is_independent_of_the_order_of_the_rows(
    prices: list[tuple[PriceSource, int]], markups: list[tuple[PriceScope, int, int]], now: int
) -> None:
    subjects = {"default": None, "model": MODEL, "user": ADA}
    rows = [
        *(price(number, source, starts) for number, (source, starts) in enumerate(prices)),
        *(
            markup(number, scope, subjects[scope], percent, starts)
            for number, (scope, starts, percent) in enumerate(markups)
        ),
    ]
    assert applied(directory(*rows), now=now) == applied(directory(*reversed(rows)), now=now)


# Names


def provider(number: int, name: str, status: ProviderStatus = ProviderStatus.ACTIVE) -> Provider:
    return Provider(number, f"prv_{number}", name, ProviderType.DEMO, "", None, "cancel", status, 0)


def model(number: int, name: str, host: int, status: ModelStatus = ModelStatus.ACTIVE) -> Model:
    return Model(number, name, host, name, None, None, status, 0)


def named(made: Directory, name: str) -> list[int]:
    return [found.id for found in made.models_named(name)]


def test_models_named_are_found_by_name_oldest_first_and_by_provider() -> None:
    made = Directory()
    made.apply(Changes(1, providers=(provider(1, "a"), provider(2, "b")), models=(model(8, "m", 2), model(7, "m", 1))))
    assert (named(made, "m"), named(made, "a/m"), named(made, "b/m"), named(made, "c/m")) == ([7, 8], [7], [8], [])
    assert list(made.active_names()) == ["m"]
    assert made.names_of(made.models[8]) == ("m", "b/m")


def test_models_named_exclude_disabled_models_and_removed_providers() -> None:
    made = Directory()
    made.apply(Changes(1, providers=(provider(1, "a"), provider(2, "b")), models=(model(7, "m", 1), model(8, "m", 2))))
    made.apply(Changes(2, models=(model(7, "m", 1, ModelStatus.DISABLED),)))
    assert (named(made, "m"), named(made, "a/m")) == ([8], [])
    made.apply(Changes(3, providers=(provider(2, "prv_2", ProviderStatus.REMOVED),)))
    assert (named(made, "m"), named(made, "b/m"), named(made, "prv_2/m")) == ([], [], [])
    made.apply(Changes(4, models=(model(7, "m", 1),)))
    assert named(made, "m") == [7]


def test_directory_with_older_changes_ignores_them() -> None:
    made = Directory()
    made.apply(Changes(5, providers=(provider(1, "new"),)))
    made.apply(Changes(5, providers=(provider(1, "old"),)))
    made.apply(Changes(4, providers=(provider(1, "old"),)))
    assert (made.revision, made.providers[1].name) == (5, "new")


# What the provider asks


def costs(made: Directory, now: int = 100, user: int = ADA) -> int | None:
    rate = made.rate(user, MODEL, now)
    assert rate is not None
    return rate.cost_price_id


def test_cost_with_customer_price_is_by_operator_or_catalogue_price() -> None:
    made = directory(
        price(1, "customer"), price(2, "operator", 50), price(3, "catalogue", 20), markup(1, "default", None, 9)
    )
    assert [costs(made, now) for now in (10, 20, 50)] == [0, 3, 2], "0: nobody has told what the provider asks"
    assert costs(made, user=BOB) is None, "one version tells both"
    rate = made.rate(ADA, MODEL, 100)
    assert rate is not None and rate.costs is not None
    assert (rate.costs.markup, rate.costs.request_fee_pico) == (1, 0)
    assert made.rate_then(ADA, MODEL, 30) == Rate(1, SHEET, costs=Rate(3, SHEET))


def test_rate_is_made_again_when_its_cost_changes() -> None:
    made = directory(price(1, "customer"), price(2, "operator"))
    assert made.rate(ADA, MODEL, 100) is made.rate(ADA, MODEL, 101)
    made.apply(Changes(2, prices=(price(3, "operator", 60),)))
    assert costs(made) == 3


# Names that begin with that of a provider


def route(number: int, name: str, *models: int) -> ModelRoute:
    return ModelRoute(number, f"rte_{number}", name, tuple(RouteLeg(each) for each in models))


def two_providers(**changes: ProviderStatus) -> Directory:
    """`openai` has gpt-4o; openrouter has a model of that whole name, one that openai has not, and one of its own."""
    made = Directory()
    made.apply(
        Changes(
            1,
            providers=(
                provider(1, "openai", changes.get("openai", ProviderStatus.ACTIVE)),
                provider(2, "openrouter"),
            ),
            models=(
                model(1, "gpt-4o", 1),
                model(2, "openai/gpt-4o", 2),
                model(3, "openai/o3", 2),
                model(4, "openrouter/auto", 2),
                model(5, "meta/llama", 2),
            ),
        )
    )
    return made


def test_name_that_begins_with_a_provider_means_no_model_of_another_one() -> None:
    made = two_providers()
    for name, numbers in {
        "openai/gpt-4o": [1],
        "openai/o3": [],
        "openrouter/openai/o3": [3],
        "openrouter/openai/gpt-4o": [2],
        "openrouter/auto": [4],
        "meta/llama": [5],
    }.items():
        assert named(made, name) == numbers
        found = made.route(name)
        assert ([] if found is None else [leg.model_id for leg in found.legs]) == numbers


@pytest.mark.parametrize("status", [ProviderStatus.DISABLED, ProviderStatus.REMOVED])
def test_name_of_a_provider_that_is_out_of_use_is_free_only_once_it_was_removed(status: ProviderStatus) -> None:
    made = two_providers(openai=status)
    free = status is ProviderStatus.REMOVED
    assert named(made, "openai/o3") == ([3] if free else [])
    assert named(made, "openai/gpt-4o") == ([2] if free else [])


def test_active_names_contain_each_model_under_a_name_by_which_it_can_be_called() -> None:
    made = two_providers()
    listed = {name: [found.id for found in made.models_named(name)] for name in made.active_names()}
    assert listed == {
        "gpt-4o": [1],
        "openrouter/openai/gpt-4o": [2],
        "openrouter/openai/o3": [3],
        "openrouter/auto": [4],
        "meta/llama": [5],
    }
    assert [made.called(made.models[number]) for number in (1, 2, 4)] == [
        "gpt-4o",
        "openrouter/openai/gpt-4o",
        "openrouter/auto",
    ]


def test_right_to_a_route_is_its_name_unless_that_names_a_provider() -> None:
    made = two_providers()
    made.apply(Changes(2, routes=(route(1, "best", 1), route(2, "team/best", 1), route(3, "openai/best", 2))))
    rights = [made.right_to(found) for name in ("best", "team/best", "openai/best") if (found := made.route(name))]
    assert rights == ["best", "team/best", ""]
    of_a_model = made.route("gpt-4o")
    assert of_a_model is not None and made.right_to(of_a_model) == ""
