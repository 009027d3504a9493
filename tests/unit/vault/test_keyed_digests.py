from softix_proxy.vault.keyed_digests import KeyedDigests

ADDRESS = "192.0.2.7"


def test_keyed_digest_is_the_same_for_one_text_and_another_for_every_other() -> None:
    digests = KeyedDigests(b"p" * 32)
    made = digests.digest("network", ADDRESS)
    assert made == KeyedDigests(b"p" * 32).digest("network", ADDRESS) and len(made) == 32 and ADDRESS not in made
    others = {digests.digest("e-mail", ADDRESS), digests.digest("network", "192.0.2.8")}
    assert len({made, *others, KeyedDigests(b"q" * 32).digest("network", ADDRESS)}) == 4


def test_keyed_digest_of_half_of_a_surrogate_pair_is_made() -> None:
    assert len(KeyedDigests(b"p" * 32).digest("e-mail", "\ud800")) == 32
