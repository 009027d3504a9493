from pathlib import Path

import pytest
from support.posted import MONTH, written

from softix_proxy.exports.ledger.sage import FORM

GOLDEN = Path(__file__).parents[3] / "golden" / "exports"


@pytest.mark.parametrize("costs", [False, True])
def test_sage_export_of_a_month_matches_the_golden_file(costs: bool) -> None:
    [text] = written(FORM, MONTH, costs=costs).values()
    golden = GOLDEN / f"sage{'_costs' if costs else ''}.csv"
    assert text == golden.read_bytes().decode()
