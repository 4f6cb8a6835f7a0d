"""Every rule of “What the source product does” in domain/call-capacity.md, replayed by its number."""

import pytest
from django.db import IntegrityError, connection, transaction

from campaigns import actions
from campaigns.models import Cap, DestinationState
from campaigns.queries.lint import lint
from campaigns.queries.summaries import bundle_rows
from portal.accounts.roles import Role
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import CampaignFactory, MembershipFactory, PromoNumberFactory, bundle_of, cap, changed

from .field import DAILY, api, live

pytestmark = pytest.mark.django_db(transaction=True)


def rule_1(field):
    """A promo number takes any number of calls; the limit sits on the destination: 5 agents, the sixth goes elsewhere."""
    five, other = field.make(2, [5, None])
    PromoNumberFactory(campaign=bundle_of(five, other), number="+18055550100")
    taken = [field.route(promo_number="+18055550100").destination_id for _ in range(30)]
    assert taken == [five.pk] * 5 + [other.pk] * 25


def rule_2(field):
    """The cap is the child campaign's only, is not offered on bundles, and counts only what comes through a bundle."""
    (child,) = field.make(1, 1)
    bundle = bundle_of(child)
    with pytest.raises(Invalid) as refused:
        cap(bundle, 5)
    assert refused.value.code == "cap_on_bundle"
    with pytest.raises(IntegrityError, match="Bundled"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_cap (campaign_id, kind, amount, reset_period, time_zone, currency, include_call_fees,"
            " alerts_enabled, alert_thresholds, created_at, updated_at)"
            " VALUES (%s, 'concurrent_calls', 5, '', '', '', false, false, '{}', now(), now())",
            [bundle.pk],
        )
    assert 'name="concurrent_calls' not in field.page(field.people.manager, "campaigns:caps", bundle.pk)
    for _ in range(3):
        assert field.route(child).outcome == "direct"
    assert live(child) == 0, "direct calls neither count nor are stopped"
    assert field.route(bundle).destination_id == child.pk
    assert field.route(bundle).refusal == "capped"
    assert field.route(child).outcome == "direct"


def rule_3(field):
    """It is edited under “Budget and Call Caps Alerts”, and over the API, version 2015-05-01 or later."""
    child = CampaignFactory(advertiser=field.advertiser, id_from_network="33")
    text = field.page(field.people.manager, "campaigns:caps", child.pk)
    assert "Budget and Call Caps Alerts" in text and 'name="concurrent_calls' in text
    path = "advertisers/27/advertiser_campaigns/33.json"
    data = {"budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 5}}}
    assert api(field, field.people.manager, "put", "2015-04-30", path, data).status_code == 404
    assert not Cap.objects.exists()
    for version, amount in (("2015-05-01", 5), ("2022-08-01", 6), ("2026-11-01", 7)):
        data["budget_activities"]["concurrent_call_cap_alert"]["budget_amount"] = amount
        assert api(field, field.people.manager, "put", version, path, data).status_code == 200, version
        assert Cap.objects.get().amount == amount
    assert DestinationState.objects.get(pk=child.pk).live_cap == 7


def rule_4(field):
    """Exactly those who may edit budget caps may edit concurrent call caps."""
    (child,) = field.make(1)
    holder = MembershipFactory(network=field.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=child, to=holder, action="change_budget_caps")
    viewer = MembershipFactory(network=field.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=child, to=viewer, action="change")

    def may(user, kind):
        try:
            actions.cap_set(by=user, campaign=child, kind=kind, amount=5, **(DAILY if kind == "budget" else {}))
        except NotAllowed as error:
            assert error.permission == "campaigns.change_budget_caps"
            return False
        except NotFound:
            return False
        return True

    users = {**vars(field.people), "holder": holder, "viewer": viewer}
    found = {name: (may(user, "budget"), may(user, "concurrent_calls")) for name, user in users.items()}
    allowed = {"manager", "super", "staff", "holder"}
    assert found == {name: (name in allowed, name in allowed) for name in users}


def rule_5(field):
    """The bundle's summary lists the cap per destination; the destination's summary shows the current cap."""
    five, none, zero = field.make(3, [5, None, 0])
    bundle = bundle_of(five, none, zero)
    field.route(bundle)
    bundle_page = field.page(field.people.observer, "campaigns:detail", bundle.pk)
    assert "Bundled Campaign Summary" in bundle_page
    for name in (five.name, none.name, zero.name):
        assert name in bundle_page
    rows = {row.destination.pk: row.slots for row in bundle_rows(user=field.people.observer, bundle=bundle)}
    assert [(rows[each.pk].live, rows[each.pk].cap) for each in (five, none, zero)] == [(1, 5), (0, None), (0, 0)]
    page = field.page(field.people.observer, "campaigns:detail", five.pk)
    assert "Destination Campaign Summary" in page and "Concurrent call cap" in page
    actions.cap_set(by=None, campaign=five, kind="concurrent_calls", amount=4321)
    assert "4321" in field.page(field.people.observer, "campaigns:detail", five.pk).replace(",", "")


def rule_6(field):
    """Caps are computed in real time, like region, hours and budget."""
    (child,) = field.make(1, 1, payout="10.00")
    bundle = bundle_of(child)
    first = field.route(bundle)
    assert field.route(bundle).refusal == "capped"
    field.tell(first, "ended")
    second = field.route(bundle)
    assert second.destination_id == child.pk, "a slot is free at once"
    cap(child, 2)
    third = field.route(bundle)
    assert third.destination_id == child.pk, "a raised cap counts with the next call"
    field.tell(second, "answered", "ended")
    field.tell(third, "answered", "ended")
    cap(child, "25.00", "budget", **DAILY)
    assert field.route(bundle).refusal == "capped", "20 of 25 are spent and a call costs 10"
    actions.cap_clear(by=None, campaign=child, kind="budget")
    changed(child, operating_24_7=False, hours={})
    assert field.route(bundle).refusal == "closed"
    changed(child, operating_24_7=True,
        named_regions=[{"name": "California", "regions": [{"region_type": "Prefix", "value": "805"}]}],
    )  # fmt: skip
    assert field.route(bundle).refusal == "out_of_region"
    assert field.route(bundle, caller="+18055550123").destination_id == child.pk


def rule_7(field):
    """“Repeat caller” ignores the cap and sends the caller to the destination first connected."""
    first, second = field.make(2, [1, None])
    bundle = bundle_of(first, second)
    field.tell(field.route(bundle), "answered")
    assert field.route(bundle).destination_id == second.pk, "without the checkbox the cap holds for him too"
    changed(bundle, repeat_caller=True)
    again = field.route(bundle)
    assert (again.destination_id, again.kind, again.over_cap) == (first.pk, "repeat", True)
    assert live(first) == 2
    assert field.route(bundle, caller="+12125550188").destination_id == second.pk, "others still meet the cap"
    for withheld in (None, "anonymous"):
        assert field.route(bundle, caller=withheld).destination_id == second.pk
    actions.campaign_move_status(by=None, campaign=first, move="pause")
    assert field.route(bundle).destination_id == second.pk, "the other criteria still hold"


def rule_8(field):
    """Without a viable overflow calls at full capacity are lost: it is warned of, and with one they are not."""
    (child,) = field.make(1, 1)
    bundle = bundle_of(child)
    field.route(bundle)
    assert "no_overflow" in {
        finding.code for finding in lint(bundle=bundle, rows=bundle_rows(user=field.people.observer, bundle=bundle))
    }
    lost = field.route(bundle)
    assert (lost.outcome, lost.refusal) == ("refused", "capped")
    overflow = CampaignFactory(advertiser=field.advertiser, name="Answering service")
    changed(bundle, overflow=overflow)
    bundle.refresh_from_db()
    assert lint(bundle=bundle, rows=bundle_rows(user=field.people.observer, bundle=bundle)) == []
    saved = field.route(bundle)
    assert (saved.outcome, saved.destination_id) == ("overflow", overflow.pk)
    actions.campaign_move_status(by=None, campaign=overflow, move="pause")
    assert field.route(bundle).outcome == "refused"


def rule_9(field):
    """Alerts with concurrent caps are not recommended: off unless asked for, and the form says why."""
    (child,) = field.make(1, 5)
    cap(child, "100.00", "budget", **DAILY)
    assert dict(Cap.objects.values_list("kind", "alerts_enabled")) == {"concurrent_calls": False, "budget": True}
    assert "at most one notice a day per campaign" in field.page(field.people.manager, "campaigns:caps", child.pk)
    cap(child, 5, alerts_enabled=True)
    assert Cap.objects.get(kind="concurrent_calls").alerts_enabled


def rule_10(field):
    """The feature is switched on per network: off it is hidden, refused and not enforced, and what is stored stays."""
    (child,) = field.make(1, 1)
    bundle = bundle_of(child)
    field.route(bundle)
    field.network.concurrent_call_caps_enabled = False
    field.network.save()
    assert field.route(bundle).destination_id == child.pk
    with pytest.raises(Conflict) as refused:
        cap(child.__class__.objects.get(pk=child.pk), 3)
    assert refused.value.code == "feature_off"
    assert 'name="concurrent_calls' not in field.page(field.people.manager, "campaigns:caps", child.pk)
    assert Cap.objects.get().amount == 1
    field.network.concurrent_call_caps_enabled = True
    field.network.save()
    assert field.route(bundle).refusal == "capped"


RULES = {f"rule-{number}": globals()[f"rule_{number}"] for number in range(1, 11)}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rule(rule, field):
    rule(field)
