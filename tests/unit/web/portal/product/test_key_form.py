from dataclasses import replace

import pytest
from support.books import NOW_US, USD

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.organisations.organisation_keys import KeyForm
from softix_proxy.web.portal.product import key_form

BERLIN = Calendar("Europe/Berlin")
FULL = {
    "label": " laptop ",
    "models": "gpt-*, claude-*\r\nopenai/o3",
    "allow_ip": "10.0.0.0/8\n2001:db8::/32",
    "rpm": "1,000",
    "tpm": "2 000 000",
    "concurrency": "8",
    "cap": "$1,250.50",
    "cap_period": "week",
    "expires_on": "2027-03-28",
}
KEY = Key(
    id=1,
    public_id="key_a",
    user_id=1,
    label="laptop",
    prefix="sx",
    digest=b"",
    models=("gpt-*", "claude-*", "openai/o3"),
    allow_ip=("10.0.0.0/8", "2001:db8::/32"),
    limits=KeyLimits(1000, 2_000_000, 8, 1250 * USD + USD // 2, "week"),
    status=KeyStatus.ACTIVE,
    expires_at_us=parse_instant("2027-03-28T21:59:59Z"),
    created_at_us=NOW_US,
)


def test_fields_are_read_as_people_write_them() -> None:
    read = key_form.read(FULL, BERLIN)
    assert (read.label, read.models, read.allow_ip, read.limits) == (KEY.label, KEY.models, KEY.allow_ip, KEY.limits)


def test_last_day_ends_where_the_day_of_the_zone_ends() -> None:
    """On this day the clock goes forward in Berlin, so the day has 23 hours."""
    assert key_form.read(FULL, BERLIN).expires_at_us == KEY.expires_at_us


def test_empty_form_sets_no_limit() -> None:
    assert key_form.read({}, BERLIN) == KeyForm(limits=KeyLimits(cap_period="month"))
    assert key_form.read(dict.fromkeys(key_form.FIELDS, " ") | {"cap_period": "day"}, BERLIN) == KeyForm(
        limits=KeyLimits(cap_period="day")
    )


def test_form_filled_from_a_key_reads_as_that_key() -> None:
    read = key_form.read(key_form.values_of(KEY, BERLIN), BERLIN, KEY)
    assert (read.label, read.models, read.allow_ip, read.limits, read.expires_at_us) == (
        KEY.label,
        KEY.models,
        KEY.allow_ip,
        KEY.limits,
        KEY.expires_at_us,
    )
    plain = replace(KEY, limits=KeyLimits(), expires_at_us=None, models=(), allow_ip=(), label="")
    assert set(key_form.values_of(plain, BERLIN).values()) == {"", "month"}


def test_end_stays_to_the_microsecond_if_its_day_stays() -> None:
    odd = replace(KEY, expires_at_us=parse_instant("2027-03-28T11:22:33.444555Z"))
    assert key_form.read(key_form.values_of(odd, BERLIN), BERLIN, odd).expires_at_us == odd.expires_at_us
    moved = key_form.values_of(odd, BERLIN) | {"expires_on": "2027-03-29"}
    assert key_form.read(moved, BERLIN, odd).expires_at_us == parse_instant("2027-03-29T21:59:59Z")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("rpm", "many"),
        ("rpm", "1.5"),
        ("rpm", "-1"),
        ("tpm", "9" * 11),
        ("concurrency", "٣"),
        ("cap", "1e3"),
        ("cap", "ten"),
        ("cap", "9" * 13),
        ("cap", "0,500"),
        ("cap", "1.000,500"),
        ("rpm", "1,0000"),
        ("cap_period", "year"),
        ("expires_on", "tomorrow"),
        ("expires_on", "2027-02-30"),
        ("models", " ".join(["a"] * 101)),
    ],
)
def test_field_that_means_nothing_is_refused_without_being_quoted(field: str, text: str) -> None:
    with pytest.raises(BadInputError):
        key_form.read({**FULL, field: text}, BERLIN)


def test_sent_values_are_kept_for_the_form_and_nothing_else() -> None:
    assert key_form.values_in({"label": "<b>", "role": "admin"}) == dict.fromkeys(key_form.FIELDS, "") | {
        "label": "<b>"
    }
