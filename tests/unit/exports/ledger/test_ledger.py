from support.posted import posting, written

from softix_proxy.exports.ledger.ledger import FORM


def test_ledger_journal_declares_its_commodity_tags_and_accounts() -> None:
    [text] = written(FORM, [posting()]).values()
    lines = text.splitlines()
    assert lines[:3] == ["commodity USD", "tag posted_at", "tag usage_at"]
    assert {"account income:ai", "account liabilities:prepaid:usr_ada"} <= set(lines)
