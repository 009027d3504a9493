import pytest

from softix_proxy.domain.catalog.search_models import searches_by


@pytest.mark.parametrize(
    ("name", "meter"),
    [
        ("sonar", "requests"),
        ("sonar-pro", "requests"),
        ("perplexity/sonar-reasoning-pro", "requests"),
        ("perplexity/sonar-deep-research", "web_search_calls"),
        ("gpt-4o-search-preview", "requests"),
        ("openai/gpt-4o-mini-search-preview-2025-03-11", "requests"),
        ("gpt-5-search-api", "requests"),
        ("openai/gpt-4o:online", "requests"),
        ("groq/compound", "requests"),
        ("compound-beta-mini", "requests"),
        ("gpt-4o", None),
        ("relace/relace-search", None),
        ("sonarqube", None),
        ("o3-deep-research", None),
        ("my-compound", None),
    ],
)
def test_model_that_searches_by_itself_has_the_meter_of_its_searches(name: str, meter: str | None) -> None:
    assert searches_by(name) == meter
