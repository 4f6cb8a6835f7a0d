"""Alerts on caps: thresholds, once a day, recovery, who is told, once under sixteen workers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import actions
from campaigns.models import AlertState, Campaign, Cap, DestinationState
from portal.hooks.actions import webhook_create
from portal.hooks.models import Delivery
from portal.notices.models import Notice
from tests.factories import CampaignFactory, MembershipFactory, cap, destinations

from .race import together

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD = {"reset_period": "Monthly", "starts_at": "2026-01-01", "time_zone": "America/Denver"}


def use(campaign, calls):
    DestinationState.objects.filter(pk=campaign.pk).update(calls_used=calls)


def titles():
    return list(Notice.objects.order_by("id").values_list("kind", "title"))


def yesterday():
    """As if what was told so far had been told a day earlier."""
    for row in AlertState.objects.all():
        row.told_on = row.told_on and row.told_on - timedelta(days=1)
        row.recovered_on = row.recovered_on and row.recovered_on - timedelta(days=1)
        row.save()
    Notice.objects.all().delete()


@pytest.fixture
def campaign(network, personas):
    campaign = CampaignFactory(advertiser__network=network, name="Roofing")
    cap(campaign, 100, "periodic_calls", **PERIOD)
    return campaign


def test_nothing_below_the_first_threshold(campaign):
    use(campaign, 74)
    assert actions.alerts_check() == 0 and titles() == []


def test_each_threshold_once_and_at_most_one_a_day(campaign, personas):
    use(campaign, 75)
    assert actions.alerts_check() == 1
    told = set(Notice.objects.values_list("user__email", flat=True))
    assert told == {personas.manager.email, personas.super.email}
    assert actions.alerts_check() == 0, "the same threshold again"
    use(campaign, 95)
    assert actions.alerts_check() == 0, "one notice a day per campaign and kind"
    yesterday()
    assert actions.alerts_check() == 1, "the next day tells of what was reached meanwhile"
    assert titles()[0] == ("cap.alert", "Periodic call cap of “Roofing” at 95 %")
    yesterday()
    assert actions.alerts_check() == 0, "90 % was told in this period"
    use(campaign, 100)
    assert actions.alerts_check() == 1
    assert "Bundles send it no more calls" in Notice.objects.first().body


def test_each_kind_has_its_own_notice(campaign):
    cap(campaign, 50, "budget", **PERIOD)
    use(campaign, 80)
    DestinationState.objects.filter(pk=campaign.pk).update(spend_used=40)
    assert actions.alerts_check() == 2


def test_recovery_is_told_once(campaign):
    use(campaign, 90)
    actions.alerts_check()
    cap(campaign, 1000, "periodic_calls", **PERIOD)
    assert actions.alerts_check() == 1
    assert titles()[-1] == ("cap.recovered", "Periodic call cap of “Roofing” has room again")
    assert actions.alerts_check() == 0
    cap(campaign, 100, "periodic_calls", **PERIOD)
    yesterday()
    assert actions.alerts_check() == 1, "and the threshold may be told anew"


def test_a_new_period_is_relief_and_counts_anew(campaign):
    use(campaign, 100)
    actions.alerts_check()
    past = timezone.now() - timedelta(seconds=1)
    DestinationState.objects.filter(pk=campaign.pk).update(calls_until=past)
    assert actions.alerts_check() == 1
    assert titles()[-1][0] == "cap.recovered"
    yesterday()
    DestinationState.objects.filter(pk=campaign.pk).update(calls_since=past, calls_until=None, calls_used=80)
    assert actions.alerts_check() == 1
    assert titles()[-1] == ("cap.alert", "Periodic call cap of “Roofing” at 80 %")


def test_own_thresholds_and_switched_off(campaign):
    cap(campaign, 100, "periodic_calls", alert_thresholds=[50], **PERIOD)
    use(campaign, 50)
    Cap.objects.update(alerts_enabled=False)
    assert actions.alerts_check() == 0
    Cap.objects.update(alerts_enabled=True)
    assert actions.alerts_check() == 1


def test_a_concurrent_cap_says_nothing_unless_asked_to():
    (busy,) = destinations(1, [4])
    member = MembershipFactory(network=busy.network, role=40)
    DestinationState.objects.filter(pk=busy.pk).update(live=4)
    assert actions.alerts_check() == 0
    actions.cap_set(by=None, campaign=busy, kind="concurrent_calls", amount=4, alerts_enabled=True)
    assert actions.alerts_check() == 1
    assert Notice.objects.get().user == member.user


def test_a_closed_cap_and_an_archived_campaign_say_nothing(campaign):
    cap(campaign, 0, "periodic_calls", **PERIOD)
    assert actions.alerts_check() == 0
    cap(campaign, 100, "periodic_calls", **PERIOD)
    use(campaign, 100)
    Campaign.objects.filter(pk=campaign.pk).update(status="Archived")
    assert actions.alerts_check() == 0


def test_who_was_granted_the_caps_is_told_too(campaign, personas):
    actions.access_grant(by=None, obj=campaign, to=personas.limited, action="change_budget_caps")
    actions.access_grant(by=None, obj=campaign.advertiser, to=personas.observer, action="change_budget_caps")
    actions.access_grant(by=None, obj=campaign, to=personas.member, action="operate")
    use(campaign, 75)
    actions.alerts_check()
    told = set(Notice.objects.values_list("user__email", flat=True))
    assert {personas.limited.email, personas.observer.email} <= told
    assert personas.member.email not in told and personas.outsider.email not in told


def test_sixteen_workers_tell_it_once(campaign, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    webhook_create(by=None, network=campaign.network, url="http://127.0.0.1:9/hook", kinds=["cap.alert"])
    use(campaign, 100)
    together(lambda number: actions.alerts_check())
    assert Notice.objects.count() == 2  # the manager and the Super
    message = Delivery.objects.get()
    assert message.body["data"]["percent"] == 100.0 and message.body["data"]["campaign"] == campaign.id_from_network


def test_a_webhook_gets_calls_as_whole_numbers_and_money_as_text(campaign, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    webhook_create(by=None, network=campaign.network, url="http://127.0.0.1:9/hook", kinds=["cap.alert"])
    cap(campaign, "50.5", "budget", **PERIOD)
    DestinationState.objects.filter(pk=campaign.pk).update(calls_used=80, spend_used="40.25")
    actions.alerts_check()
    figures = {
        body["kind"]: (body["used"], body["limit"]) for body in Delivery.objects.values_list("body__data", flat=True)
    }
    assert figures == {"periodic_calls": (80, 100), "budget": ("40.2500", "50.50")}
