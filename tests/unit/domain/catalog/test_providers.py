import pytest

from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType, is_metadata_host, origin_of


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
def test_the_origin_spells_out_the_port(base_url: str, origin: str) -> None:
    assert origin_of(base_url) == origin


def test_a_sealed_key_is_not_in_the_repr() -> None:
    provider = Provider(
        1, "prv_a", "a", ProviderType.DEMO, "https://a", b"ciphertext", "cancel", ProviderStatus.ACTIVE, 0
    )
    assert "ciphertext" not in repr(provider)
    assert provider.origin == "https://a:443/"


def test_knows_where_clouds_keep_secrets() -> None:
    assert all(
        map(is_metadata_host, ("169.254.169.254", "fe80::1%2", "::ffff:169.254.0.1", "METADATA.google.internal."))
    )
    assert not any(map(is_metadata_host, ("", "10.0.0.1", "::1", "example.org", "1.2.3.4.5")))
