from __future__ import annotations

from pathlib import Path

from support.paying import paying

from softix_proxy.operations.billing.billing_overview import billing_overview
from softix_proxy.operations.ledger import refunds


async def test_overview_has_what_one_user_has_with_the_newest_first(tmp_path: Path) -> None:
    async with paying(tmp_path) as lab:
        first, second = await lab.paid(2500), await lab.paid(700)
        request = await refunds.request(lab.context, first.public_id, net_cents=500)
        found = await billing_overview(lab.storage, 1, 10)
        assert [one.id for one in found.payments] == [second.id, first.id]
        assert [one.number for one in found.documents] == ["RCT-2027-00002", "RCT-2027-00001"]
        assert [one.public_id for one in found.refunds] == [request.public_id]
        assert found.wallet.posted_pico == (1000 + 2500 + 700 - 500) * 10**10 and found.auto_top_up is None
        newest = await billing_overview(lab.storage, 1, 1)
        assert len(newest.payments) == 1 and [one.number for one in newest.documents] == ["RCT-2027-00002"]
        other = await billing_overview(lab.storage, 2, 10)
        assert not [*other.payments, *other.documents, *other.refunds]
