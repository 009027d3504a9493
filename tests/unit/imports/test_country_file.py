from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.imports.country_file import CountryFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a country for each of three networks, one of them by its registration only."""
    writer = MMDBWriter(6, "Test-Country", ipv4_compatible=True)
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "DE"}})
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"registered_country": {"iso_code": "FR"}})
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country": {"iso_code": "JP"}})
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"city": "somewhere"})
    found = tmp_path / "countries.mmdb"
    writer.to_db_file(str(found))
    return found


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("192.0.2.7", "DE"),
        ("198.51.100.1", "FR"),
        ("2001:db8::1", "JP"),
        ("203.0.113.1", ""),
        ("10.0.0.1", ""),
        ("", ""),
        ("no address", ""),
    ],
)
def test_country_of_an_address_is_that_of_its_network(path: Path, address: str, country: str) -> None:
    file = CountryFile(path)
    assert file.country_of(address) == country
    file.close()


def test_file_that_is_none_is_refused_with_its_path(tmp_path: Path) -> None:
    wrong = tmp_path / "countries.mmdb"
    wrong.write_bytes(b"not a database")
    for path in (wrong, tmp_path / "missing.mmdb", tmp_path):
        with pytest.raises(BadInputError) as refused:
            CountryFile(path)
        assert str(path) in refused.value.message and "abuse.countries" in (refused.value.remedy or "")


def test_missing_package_is_named_with_the_command_that_installs_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(FailureError) as refused:
        CountryFile(path)
    assert "softix-proxy[countries]" in (refused.value.remedy or "")
