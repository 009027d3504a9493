import json
from dataclasses import replace

import pytest

from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageSums, UserSum
from softix_proxy.domain.reporting.manifests import (
    ExportContents,
    Manifest,
    ManifestChunk,
    ManifestFile,
    RowForm,
    canonical,
)

MANIFEST = Manifest(12, "2026-11-01T00:00:00.000000Z", "a.csv", "csv", 3, "00" * 32, "11" * 32, "22" * 32, b"\x01\x02")


def test_canonical_form_is_sorted_compact_json() -> None:
    assert canonical({"b": [1, None, True], "a": "é\n"}) == '{"a":"é\\n","b":[1,null,true]}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))


def test_manifest_written_and_read_as_json_is_the_same() -> None:
    body = {"files": []}
    document = json.loads(MANIFEST.document(body))
    assert Manifest.of(document["head"], bytes.fromhex(document["signature"])) == MANIFEST
    assert document["body"] == body and MANIFEST.file_name == "a.csv.0012.manifest.json"


def test_manifest_hash_covers_every_field_but_the_signature() -> None:
    assert replace(MANIFEST, signature=b"").sha256 == MANIFEST.sha256
    others = [replace(MANIFEST, number=13), replace(MANIFEST, body_sha256="01" * 32), replace(MANIFEST, rows=4)]
    assert len({one.sha256 for one in [MANIFEST, *others]}) == 4
    assert MANIFEST.signed().startswith(b"softix-manifest-1\n{")


@pytest.mark.parametrize("change", [{"version": 2}, {"more": 1}])
def test_manifest_with_unknown_version_or_field_is_refused(change: dict[str, int]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Manifest.of({**MANIFEST.head(), **change}, b"")


def test_manifest_file_written_and_read_as_json_is_the_same() -> None:
    entry = ManifestFile("a.csv", 5, "00", RowForm("", "\r\n"), (ManifestChunk(7, 1, "ab", 3, 21),))
    assert ManifestFile.of(json.loads(canonical(entry.fields()))) == entry
    assert "rows" not in ManifestFile("a", 1, "00").fields()


def test_export_contents_with_usage_sums_add_up_by_user() -> None:
    account = ExportContents("csv", Span(0, 10), None)
    assert (account.is_counted, account.rows, account.totals()[0]["charge"]) == (False, 0, "0.00")
    account.add(UsageSums(1, 3, (UserSum("usr_b", 2, 10, 2**63), UserSum("usr_a", 1, 1, 1))))
    account.add(UsageSums(4, 4, ()))
    account.add(UsageSums(5, 6, (UserSum("usr_b", 1, 5, 2**63),)))
    assert (account.rows, account.first_row_id, account.last_row_id, account.is_counted) == (4, 1, 6, True)
    assert [(one["user_id"], one["rows"], one["provider_cost"]) for one in account.sums()] == [
        ("usr_a", 1, "0.000000000001"),
        ("usr_b", 3, "0.000000000015"),
    ]
    assert account.totals() == [
        {"currency": "USD", "rows": 4, "provider_cost": "0.000000000016", "charge": "18446744.073709551617"}
    ]
