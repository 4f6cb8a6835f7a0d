"""Figures at the edge of what the columns hold: refused in words, and never so that calls can no longer be counted."""

import pytest
from django.urls import reverse

from campaigns import actions
from campaigns.models import DestinationState
from portal.errors import Invalid
from tests.factories import AdvertiserFactory, CampaignFactory, cap, destinations

pytestmark = pytest.mark.django_db

PERIOD = {"reset_period": "Monthly", "starts_at": "2026-01-01", "time_zone": "America/Denver"}


def refused(act):
    with pytest.raises(Invalid) as error:
        act()
    return [(field, code) for field, code, _text in error.value.problems]


@pytest.mark.parametrize(
    ("kind", "amount"),
    [("periodic_calls", 3_000_000_000), ("periodic_calls", 1_000_000_001), ("budget", "1234567890123456789012345678.123")],
)  # fmt: skip
def test_a_cap_beyond_what_is_counted_is_refused(kind, amount):
    (only,) = destinations(1)
    assert refused(lambda: cap(only, amount, kind, **PERIOD)) == [("amount", "too_large")]
    assert cap(only, 1_000_000_000, "periodic_calls", **PERIOD).amount == 1_000_000_000


@pytest.mark.parametrize("starts_at", ["0001-01-01", "1969-12-31", "3000-01-01"])
def test_a_cap_begins_on_a_day_that_every_calendar_has(starts_at):
    """The start of the year 1 in Tokyo is before Christ by universal time: no page could have read the counters again."""
    (only,) = destinations(1)
    values = {"reset_period": "Ongoing", "starts_at": starts_at, "time_zone": "Asia/Tokyo"}
    assert refused(lambda: cap(only, 3, "periodic_calls", **values)) == [("starts_at", "out_of_range")]
    cap(only, 3, "periodic_calls", **{**values, "starts_at": "1970-01-01"})
    assert DestinationState.objects.get(pk=only.pk).calls_cap == 3


@pytest.mark.parametrize(
    ("kind", "most"), [("periodic_calls", 1_000_000_000), ("budget", 99_999_999_999)], ids=["calls", "budget"]
)
def test_a_counter_set_by_hand_leaves_room_to_count_on(kind, most):
    (only,) = destinations(1, payout="5")
    cap(only, 100, kind, **PERIOD)

    def put(used):
        actions.usage_set(by=None, campaign=only, kind=kind, used=used, reason="Moved from the old system")

    for used in (most + 1, 2**31, 999_999_999_999) if kind == "periodic_calls" else (most + 1, 999_999_999_999):
        assert refused(lambda used=used: put(used)) == [("used", "out_of_range")]
    put(most)
    routed = actions.call_route(by=None, network=only.network, campaign=only.pk, caller=None)
    assert routed.outcome == "direct", "a call that cannot be counted is lost"


@pytest.mark.parametrize(
    ("amount", "code"), [("1000000", "out_of_range"), ("999999.99999", "fractional"), ("1.00005", "fractional")]
)
def test_money_that_no_column_holds_is_refused_and_not_rounded(amount, code):
    (only,) = destinations(1)
    assert refused(lambda: actions.campaign_update(by=None, campaign=only, payout=amount)) == [("payout", code)]
    policies = [{"type": "Bonus", "amount": amount}]
    assert refused(lambda: actions.campaign_update(by=None, campaign=only, payin_policies=policies))[0] == (
        "payin_policies.0.amount", code,
    )  # fmt: skip
    actions.campaign_update(by=None, campaign=only, payout="999999.9999", payin="1.50000")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"url": "https://example.com/" + "a" * 200}, "too_long"), ({"url": "javascript:alert(1)"}, "invalid"),
        ({"description": "a" * 20_001}, "too_long"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", ["Pending", "Live"])
def test_texts_are_bounded_on_every_surface_also_in_a_draft(values, code, status, network, personas, client):
    """A draft takes what the column does not: it would only have failed when it goes live."""
    campaign = CampaignFactory(advertiser=AdvertiserFactory(network=network), status=status)
    ((field, _value),) = values.items()
    assert refused(lambda: actions.campaign_update(by=None, campaign=campaign, **values)) == [(field, code)]
    client.force_login(personas.super)
    typed = {"name": campaign.name, "url": "", "description": "", "pause_date": "", "go": "close", **values}
    answer = client.post(reverse("campaigns:wizard", args=[campaign.pk, "basics"]), typed)
    assert answer.status_code == 422
    campaign.refresh_from_db()
    assert (campaign.draft, campaign.url, campaign.description) == (None, "", "")
