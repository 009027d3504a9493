from __future__ import annotations

from pathlib import Path

import pytest

from softix_proxy.domain.notices.contents import ACTION, CONTENTS
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.exports.core.texts import texts
from softix_proxy.mail.samples import EXAMPLE_URL, broken_kinds, sample
from softix_proxy.mail.templates import NoticeTemplates


@pytest.mark.parametrize("kind", NoticeKind)
def test_sample_of_each_kind_has_all_its_values_and_where_to_go(kind: NoticeKind) -> None:
    notice, links = sample(kind)
    assert notice.kind is kind and {*notice.values} == {*CONTENTS[kind].values}
    assert not (links and CONTENTS[kind].page)
    assert {*links} <= {ACTION}


def test_broken_templates_are_named_by_their_kind(tmp_path: Path) -> None:
    assert broken_kinds(NoticeTemplates(texts(), EXAMPLE_URL)) == []
    tmp_path.joinpath("receipt.html").write_text("{{ missing }}")
    tmp_path.joinpath("invoice.txt").write_text("{% if %}")
    assert broken_kinds(NoticeTemplates(texts(), EXAMPLE_URL, tmp_path)) == ["receipt", "invoice"]
