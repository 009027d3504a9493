"""Tags differ by key and by word, and keep the form of a UUID."""

from __future__ import annotations

from uuid import UUID

from softix_proxy.vault.tags import Tags

WORD = "team-cache"


def test_tag_of_a_word_is_the_same_for_one_key_and_another_for_every_other() -> None:
    tags = Tags(b"p" * 32)
    made = tags.tag(1, WORD)
    assert made == Tags(b"p" * 32).tag(1, WORD) and len(made) == 32 and WORD not in made
    assert len({made, tags.tag(2, WORD), tags.tag(1, "other"), Tags(b"q" * 32).tag(1, WORD)}) == 4


def test_tag_of_a_uuid_is_a_uuid() -> None:
    word = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert str(UUID(made := Tags(b"p" * 32).tag(1, word))) == made != word


def test_tag_of_a_word_with_half_of_a_surrogate_pair_is_made() -> None:
    assert len(Tags(b"p" * 32).tag(1, "\ud800")) == 32
