from pathlib import Path

import pytest
from support.posted import MONTH, written

from softix_proxy.exports.ledger.netsuite import FORM

GOLDEN = Path(__file__).parents[3] / "golden" / "exports"


@pytest.mark.parametrize("costs", [False, True])
def test_it_is_as_the_program_documents_it(costs: bool) -> None:
    [text] = written(FORM, MONTH, costs=costs).values()
    golden = GOLDEN / f"netsuite{'_costs' if costs else ''}.csv"
    assert text == golden.read_bytes().decode()
