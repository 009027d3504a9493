from __future__ import annotations

from dataclasses import replace

import pytest

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.notices.webhooks import (
    GIVE_UP_AFTER_US,
    PAUSES_US,
    Delivery,
    DeliveryState,
    EndpointStatus,
    WebhookEndpoint,
    next_attempt_us,
)

HOUR_US = 3600 * SECOND_US
FRESH = Delivery(
    id=1,
    public_id="whd_a",
    event_id=1,
    endpoint_id=1,
    state=DeliveryState.WAITING,
    attempts=1,
    earlier_attempts=0,
    began_at_us=0,
    next_at_us=0,
    status_code=None,
    error=None,
    ended_at_us=None,
)


def test_attempts_go_on_for_three_days_as_the_specification_proposes() -> None:
    now_us, hours, delivery = 0, [0.0], FRESH
    while (next_at_us := next_attempt_us(delivery, now_us, 0)) is not None:
        now_us, delivery = next_at_us, replace(delivery, attempts=delivery.attempts + 1)
        hours.append(now_us / HOUR_US)
    assert [round(hour, 2) for hour in hours] == [0, 0, 0.08, 0.58, 2.58, 7.58, 17.58, 31.58, 51.58, 75.58]


def test_delivery_that_had_few_attempts_is_given_up_after_three_days_as_well() -> None:
    assert next_attempt_us(FRESH, GIVE_UP_AFTER_US - 1, 0) is not None
    assert next_attempt_us(FRESH, GIVE_UP_AFTER_US, 0) is None


def test_replayed_delivery_has_all_its_attempts_again() -> None:
    replayed = replace(FRESH, attempts=11, earlier_attempts=10, began_at_us=HOUR_US)
    assert next_attempt_us(replayed, HOUR_US, 0) == HOUR_US + PAUSES_US[0]


@pytest.mark.parametrize(("draw", "more"), [(0, 0), (500, 50), (1000, 100)])
def test_pause_is_up_to_a_tenth_longer_by_chance(draw: int, more: int) -> None:
    pause_us = PAUSES_US[1]
    assert next_attempt_us(replace(FRESH, attempts=2), 0, draw) == pause_us + pause_us * more // 1000


@pytest.mark.parametrize(
    ("status", "failing_since_us", "told"),
    [
        (EndpointStatus.ENABLED, None, "enabled"),
        (EndpointStatus.ENABLED, 7, "failing"),
        (EndpointStatus.DISABLED, 7, "disabled"),
        (EndpointStatus.GONE, None, "gone"),
    ],
)
def test_condition_of_an_endpoint_says_whether_it_fails(
    status: EndpointStatus, failing_since_us: int | None, told: str
) -> None:
    endpoint = WebhookEndpoint(
        id=1,
        public_id="whk_a",
        url="https://example.org/secret-path",
        kinds=(),
        user_id=None,
        status=status,
        allow_private=False,
        sealed_secret=b"sealed",
        sealed_old_secret=None,
        old_secret_until_us=None,
        failing_since_us=failing_since_us,
        created_at_us=1,
    )
    assert endpoint.condition == told and "secret-path" not in repr(endpoint)
