"""`manage.py demo`: complete, safe to repeat, and true to the portal's own rules."""

import stat
from dataclasses import replace
from html import unescape

import pytest
from django.core.management import call_command
from django.urls import reverse
from promo_numbers import actions as number_actions
from promo_numbers.models import PoolUsage, PromoNumber, RingPool, StockNumber
from promo_numbers.queries.pools import figures_of, pool_advice

from campaigns import actions
from campaigns.actions.prices import facts_of_leg
from campaigns.area_data import refresh
from campaigns.models import AreaPrefix, BundleDestination, Call, CallLeg, Campaign, CampaignHour, Cap, DestinationState
from campaigns.pricing import policies_of, price
from campaigns.queries import decision_of
from portal.accounts import access
from portal.accounts.models import ApiToken, Membership, Network, User
from portal.audit.models import AuditEvent
from portal.notices.models import Notice
from portal.runtime.demo import load, numbers
from portal.runtime.demo.callers import AREAS
from portal.runtime.demo.catalog import BLUE_MESA, COPPER_CREEK
from portal.runtime.demo.people import LOGINS_FILE, PEOPLE, TOKEN_FILE

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings, tmp_path, monkeypatch):
    """The demo networks with a tenth of their past; where their files are."""
    monkeypatch.setattr(load, "BLUE_MESA", replace(BLUE_MESA, calls_per_day=800))
    settings.HEADROOM_VAR = tmp_path
    if not AreaPrefix.objects.exists():
        refresh(AreaPrefix)
    call_command("demo", verbosity=0)
    return tmp_path


def _sizes():
    models = (
        Network,
        User,
        Membership,
        Campaign,
        BundleDestination,
        Cap,
        PromoNumber,
        StockNumber,
        RingPool,
        PoolUsage,
        Call,
        CallLeg,
        ApiToken,
    )
    return {model.__name__: model.objects.count() for model in models}


def test_a_second_time_changes_nothing(demo):
    sizes, logins = _sizes(), (demo / LOGINS_FILE).read_text()
    token = (demo / TOKEN_FILE).read_text()
    call_command("demo", verbosity=0)
    assert _sizes() == sizes
    assert (demo / LOGINS_FILE).read_text() == logins
    assert (demo / TOKEN_FILE).read_text() == token


def test_reset_loads_it_anew(demo):
    before = set(Campaign.objects.values_list("pk", flat=True))
    call_command("demo", "--reset", verbosity=0)
    assert Campaign.objects.count() == len(before)
    assert not before & set(Campaign.objects.values_list("pk", flat=True))
    assert Network.objects.count() == 2


def test_everybody_signs_in_and_may_what_the_file_says(demo, client):
    path = demo / LOGINS_FILE
    text = path.read_text()
    password = text.split("password: ")[1].split("\n")[0]
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((demo / TOKEN_FILE).stat().st_mode) == 0o600
    for person in PEOPLE:
        assert person.email in text
        assert client.login(email=person.email, password=password), person.email
        client.logout()

    def user(start):
        return User.objects.get(email__startswith=start)

    solar, auto = (Campaign.objects.get(id_from_network=own) for own in ("solar-california", "auto-east"))
    assert access.may(user("theo"), "change_budget_caps", solar) and not access.may(user("theo"), "view", auto)
    assert access.may(user("ines"), "change_budget_caps", auto) and not access.may(
        user("ines"), "change_budget_caps", solar
    )
    assert access.may(user("marco"), "change_budget_caps", solar) and not access.may(
        user("mina"), "change_budget_caps", solar
    )
    assert len(user("dana").roles) == 2


def test_it_shows_every_kind_of_thing(demo):
    campaigns = Campaign.objects.filter(network__name=BLUE_MESA.name)
    assert set(campaigns.values_list("campaign_type", flat=True)) == {
        "AffiliateEnabled",
        "DirectOnly",
        "ExternalOnly",
        "Bundled",
    }
    assert {"Live", "Paused", "Archived"} <= set(campaigns.values_list("status", flat=True))
    bundles = campaigns.filter(campaign_type="Bundled")
    assert set(bundles.values_list("distribution", flat=True)) == {"Weighted", "MostFree", "InOrder"}
    assert bundles.filter(overflow=None).count() == 1
    assert bundles.filter(repeat_caller=True).exists()
    caps = Cap.objects.filter(campaign__in=campaigns)
    assert set(caps.values_list("kind", flat=True)) == {"budget", "periodic_calls", "concurrent_calls"}
    assert caps.filter(kind="concurrent_calls", amount=0).exists()


def test_numbers_stand_under_limits_and_one_campaign_is_full(demo):
    network = Network.objects.get(name=BLUE_MESA.name)
    assert number_actions.limits_reconcile() == []
    full = Campaign.objects.get(network=network, id_from_network=numbers.FULL)
    with pytest.raises(number_actions.LimitReached) as error:
        number_actions.number_add(by=None, campaign=full, description="One more")
    assert error.value.details["reached"] == ["campaign"]
    free = StockNumber.objects.filter(state="free")
    assert free.count() > 4000 and not free.filter(region="").exists()
    assert not StockNumber.objects.exclude(number__regex=r"^\+1\d{3}55501\d\d$").exists()
    own = {bundle.number for bundle in BLUE_MESA.bundles} | {made.number for made in BLUE_MESA.destinations}
    assert not StockNumber.objects.filter(number__in=own).exists()
    assert Notice.objects.filter(user__email="staff@headroom.example", kind="number_limit.raised").count() == 1


def test_ring_pools_have_a_past_and_one_of_them_is_too_small(demo):
    small = RingPool.objects.get(id_from_network="insurance-quote")
    assert RingPool.objects.count() == 3 and PoolUsage.objects.filter(pool=small, exhausted__gt=0).exists()
    advice = pool_advice(small, figures_of([small])[small.pk])
    assert advice is not None and advice.add > 0
    given = number_actions.number_allocate(pool_id=small.pk, key=small.api_key, params={"visitor": "a"})
    assert given.outcome == "taken"


def test_the_past_keeps_the_rules(demo):
    assert actions.live_counts_reconcile(with_usage=True) == []
    assert not DestinationState.objects.exclude(live=0).exists()
    assert not CallLeg.objects.filter(ended_at=None).exists()
    assert 500 < Call.objects.count() < 2000
    over = 0
    for hour in CampaignHour.objects.filter(peak_live__gt=0).select_related("campaign__state"):
        over += hour.peak_live > hour.campaign.state.live_cap
    repeats_over_cap = CallLeg.objects.filter(over_cap=True).count()
    assert over <= repeats_over_cap
    for call in Call.objects.filter(network__name=COPPER_CREEK.name)[:30]:
        decision = decision_of(call)
        assert (decision.chosen is None) == (call.outcome == "refused")
        assert decision.entries


def test_policies_have_priced_the_past_as_they_price_a_call_of_today(demo):
    priced = Campaign.objects.exclude(payout_policies=[])
    conditions = {row["condition"] for campaign in priced for row in campaign.payout_policies}
    assert priced.filter(status="Live").count() >= 4 and any("during_hours" in condition for condition in conditions)
    assert {row["type"] for campaign in priced for row in campaign.payout_policies} == {"Base", "Bonus"}
    legs = CallLeg.objects.filter(destination__in=priced).select_related("call__campaign", "destination")
    seen = set()
    for leg in legs[:150]:
        for side, amount in (("payout", leg.cost), ("payin", leg.revenue)):
            policies = policies_of(leg.destination, side)
            assert amount == (price(policies, facts_of_leg(leg, policies)) if leg.answered_at else 0)
        seen.add((leg.destination_id, leg.cost))
    assert len(seen) > 2 * len({destination for destination, _cost in seen}), "calls of one campaign cost differently"


def test_drafts_wait_to_be_reviewed(demo, client):
    client.force_login(User.objects.get(email="marco@bluemesa.example"))

    def page(campaign, step):
        answer = client.get(reverse("campaigns:wizard", args=[campaign.pk, step]))
        assert answer.status_code == 200
        return " ".join(unescape(answer.content.decode()).split())

    changed = Campaign.objects.get(status="LivePending")
    assert changed.id_from_network == "roofing-florida" and set(changed.draft) > {"payout", "payout_policies", "hours"}
    assert "66.00 USD" in page(changed, "review") and "connect_duration >= 6 min" in page(changed, "payout")
    begun = Campaign.objects.get(status="Pending")
    assert "Give the destination phone number" in page(begun, "review")
    assert AuditEvent.objects.get(event="campaign.draft").actor.email == "marco@bluemesa.example"


def test_callers_are_nobody_and_area_codes_real(demo):
    known = set(AreaPrefix.objects.filter(level="area").values_list("prefix", flat=True))
    assert {f"1{code}" for _, codes in AREAS.values() for code in codes.split()} <= known
    callers = Call.objects.exclude(caller=None).values_list("caller", flat=True)
    assert all(caller[5:10] == "55501" for caller in callers)
