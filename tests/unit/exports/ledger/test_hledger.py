from support.posted import posting, written

from softix_proxy.exports.ledger.hledger import FORM


def test_hledger_journal_declares_its_commodity_and_no_tags() -> None:
    [text] = written(FORM, [posting()]).values()
    lines = text.splitlines()
    assert lines[0] == "commodity 1000.000000000000 USD", "so that reports show every digit"
    assert not any(line.startswith("tag ") for line in lines)
    assert list(written(FORM, [])) == ["out.journal"]
