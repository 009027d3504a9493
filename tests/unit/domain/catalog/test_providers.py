import pytest

from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType, origin_of


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://api.example.com", "https://api.example.com:443/"),
        ("https://api.example.com:443", "https://api.example.com:443/"),
        ("http://api.example.com/openai", "http://api.example.com:80/openai"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
        ("", ""),
    ],
)
def test_origin_of_url_without_port_contains_the_default_port(base_url: str, origin: str) -> None:
    assert origin_of(base_url) == origin


def test_repr_of_provider_does_not_contain_the_sealed_key() -> None:
    provider = Provider(
        1, "prv_a", "a", ProviderType.DEMO, "https://a", b"ciphertext", "cancel", ProviderStatus.ACTIVE, 0
    )
    assert "ciphertext" not in repr(provider)
    assert provider.origin == "https://a:443/"
