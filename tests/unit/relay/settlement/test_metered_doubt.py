"""Usage of which a part is missing or in doubt, at the last figure and at the one after it."""

from __future__ import annotations

from fractions import Fraction

from support.observations import seen

from softix_proxy.dialects.core.base import RequestSpec, Scale, UsageReport
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.relay.settlement.metered import IMPLAUSIBLE, INPUT_UNKNOWN, answer_tokens, metered, needs_count


def answer_of(length: int) -> bytes:
    """A whole answer of so many bytes."""
    empty = b'{"choices": [{"message": {"content": ""}}]}'
    return empty[:-5] + b"a" * (length - len(empty)) + empty[-5:]


def test_interrupted_report_without_output_has_what_was_under_way() -> None:
    """The least that is under way when a client leaves is eight tokens."""
    left = seen(streamed=True, client_left=True, report=UsageReport({"input_tokens": 7}))
    assert metered(left, RequestSpec("m")) == (
        UsageSource.PARTIAL,
        {"input_tokens": 7, "output_tokens": 8, "requests": 1},
        (),
    )


def test_typical_units_of_a_request_that_is_not_known_any_more_are_charged() -> None:
    found = metered(seen(complete=True, request_bytes=None), RequestSpec("m", typical={"audio_ms": 5}))
    assert found == (UsageSource.ESTIMATE, {"audio_ms": 5, "requests": 1}, (INPUT_UNKNOWN,))


def test_units_by_size_of_a_request_without_a_body_are_none() -> None:
    sized = RequestSpec("m", by_size={"audio_ms": Scale(Fraction(8), Fraction(8))})
    found = metered(seen(complete=True, request_bytes=0), sized)
    assert found == (UsageSource.ESTIMATE, {"audio_ms": 0, "requests": 1}, ())


def test_text_is_counted_if_the_output_without_thoughts_is_in_doubt() -> None:
    told = UsageReport({"output_tokens": 3, "reasoning_tokens": 1})
    assert [needs_count(told, seen_tokens, complete=True) for seen_tokens in (192, 193)] == [False, True]


def test_tokens_of_a_long_answer_are_those_of_all_of_it() -> None:
    """20,000 words of five letters, of which the first 6,553 are counted."""
    answer = b'{"text":"' + b" word" * 20_000 + b'"}'
    assert answer_tokens(None, answer, RequestSpec("m")) in range(20_000, 20_010)


def test_tokens_of_a_sampled_request_are_scaled_to_all_of_it_and_rounded_up() -> None:
    """Ten tokens in 50 of 101 bytes. The sample is 50 letters, so that all of it has 101: 20.2 tokens."""
    sampled = seen(complete=True, request=b" word" * 10, request_bytes=101)
    assert metered(sampled, RequestSpec("m", max_output_tokens=0)).meters["input_tokens"] == 21


def test_report_without_input_and_with_too_little_output_is_made_up_for_on_both_sides() -> None:
    """A hundred tokens were seen, and one is reported: 99 are missing. No input is reported: each byte is a token."""
    known = seen(
        complete=True, streamed=True, report=UsageReport({"output_tokens": 1}), seen_tokens=100, request_bytes=401
    )
    assert metered(known, RequestSpec("m")) == (
        UsageSource.ESTIMATE,
        {"input_tokens": 401, "output_tokens": 100, "requests": 1},
        (IMPLAUSIBLE,),
    )


def test_client_that_left_a_stream_in_one_piece_may_have_missed_two_more() -> None:
    left = seen(streamed=True, client_left=True, seen_tokens=35, request_bytes=4)
    assert metered(left, RequestSpec("m")).meters["output_tokens"] == 35 + 2 * 35


def test_length_of_a_sampled_request_is_rounded_up() -> None:
    """Two bytes of one letter that no vocabulary has in common are two tokens. Three bytes are two such letters."""
    sampled = seen(complete=True, request="ʘ".encode(), request_bytes=3)
    assert metered(sampled, RequestSpec("m", max_output_tokens=0)).meters["input_tokens"] == 4


def test_request_of_which_only_the_size_is_known_has_a_token_for_each_byte() -> None:
    for request in (None, b""):
        known = seen(complete=True, request=request, request_bytes=401)
        assert metered(known, RequestSpec("m", max_output_tokens=0)).meters["input_tokens"] == 401


def test_report_with_too_little_output_of_typical_units_stays_as_it_is() -> None:
    """Nothing tells what is missing, so that nothing is made up."""
    known = seen(complete=True, report=UsageReport({"input_tokens": 9, "output_tokens": 1}), seen_tokens=100)
    assert metered(known, RequestSpec("m", typical={"audio_ms": 5})) == (
        UsageSource.ESTIMATE,
        {"input_tokens": 9, "output_tokens": 1, "requests": 1},
        (IMPLAUSIBLE,),
    )


def test_answer_is_counted_if_it_is_long_for_the_output_without_thoughts() -> None:
    """Three tokens of 256 bytes are 768 bytes."""
    told = UsageReport({"input_tokens": 9, "output_tokens": 3, "reasoning_tokens": 1})
    counts = [answer_tokens(told, answer_of(length), RequestSpec("m")) for length in (768, 769)]
    assert counts[0] == 0 and counts[1] > 0
