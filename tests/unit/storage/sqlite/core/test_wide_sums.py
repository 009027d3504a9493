from pathlib import Path

from softix_proxy.storage.sqlite.core.engine import connect
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, summed, whole


def test_split_sum_beyond_64_bits_is_exact() -> None:
    most = 2**63 - 1
    field = summed("pico")
    rows = f"SELECT {split_sum('amount', 'pico')} FROM (SELECT {most} AS amount UNION ALL SELECT {most - 7})"
    with connect(Path(":memory:")) as connection:
        [row] = connection.execute(f"SELECT {', '.join(field.select)} FROM ({rows})").fetchall()
        [nothing] = connection.execute(f"SELECT {split_sum('amount', 'pico')} FROM (SELECT 1 AS amount WHERE false)")
    assert field.read is whole
    assert (whole(*row), whole(*nothing)) == (2 * most - 7, 0)


def test_split_sum_of_negative_amounts_is_exact() -> None:
    with connect(Path(":memory:")) as connection:
        [row] = connection.execute(f"SELECT {split_sum('amount', 'pico')} FROM (SELECT -1234567 AS amount)").fetchall()
    assert whole(*row) == -1_234_567
