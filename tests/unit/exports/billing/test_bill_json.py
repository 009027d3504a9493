import json

import msgspec
import pytest
from support.billing import document

from softix_proxy.domain.billing.bill import Document, DocumentKind
from softix_proxy.exports.billing.bill_json import fields, render


@pytest.mark.parametrize("kind", DocumentKind)
def test_bill_json_read_again_is_the_document(kind: DocumentKind) -> None:
    made = document(kind)
    assert msgspec.json.decode(render(made), type=Document) == made
    assert json.loads(render(made), parse_float=pytest.fail) == json.loads(json.dumps(fields(made)))


def test_bill_json_amounts_are_decimal_strings() -> None:
    told = fields(document())
    assert told["totals"] == {"net": "42.35", "tax": "8.05", "gross": "50.40", "paid": "0.00", "due": "50.40"}
    assert told["lines"][0]["price"] == "2.6875" and told["issued_on"] == "2026-11-01"
