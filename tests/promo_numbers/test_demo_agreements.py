"""The demo's contract, growth and requests: as a user would have made them, once, and true to the sums."""

import pytest
from promo_numbers.models import Contract, LimitRequest, NumberDay, PromoNumber
from promo_numbers.queries.usage import usage_of

from portal.accounts.roles import Role
from portal.notices.models import Notice
from portal.runtime.demo.agreements import agreements_load, agreements_remove
from tests.factories import CampaignFactory, MembershipFactory, UserFactory

from .counting import assert_counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(scene):
    for name, role in (("mina", Role.MEMBER), ("marco", Role.MANAGER)):
        MembershipFactory(network=scene.network, role=role, user__email=f"{name}@bluemesa.example")
    CampaignFactory.create_batch(6, advertiser=scene.advertiser)
    UserFactory(email="sam@headroom.example", is_platform_staff=True)
    agreements_load(scene.network, "sam@headroom.example")
    return scene.network


def test_months_of_growth_with_a_trend(demo):
    usage = usage_of(demo)
    assert usage.contract.csm.email == "sam@headroom.example"
    assert usage.trend.days == 90 and usage.trend.slope > 0.1
    assert usage.days[-2].total == usage.used, "yesterday's record joins today's live figure"
    assert NumberDay.objects.filter(network=demo).count() > 200
    assert PromoNumber.objects.filter(network=demo, state="released").exists()
    assert usage.carry.level > 0 and usage.present_risk is not None
    assert_counted(demo)


def test_one_request_decided_and_one_waiting(demo):
    decided, waiting = LimitRequest.objects.filter(network=demo).order_by("id")
    assert (decided.state, decided.granted, waiting.state) == ("changed", 20, "open")
    assert decided.working["steps"] and decided.decided_at > decided.asked_at
    assert not Notice.objects.filter(network=demo, by_mail=True).exists()


def test_a_second_time_changes_nothing(demo):
    def sizes():
        return [model.objects.count() for model in (Contract, LimitRequest, NumberDay, PromoNumber, Notice)]

    before = sizes()
    agreements_load(demo, "sam@headroom.example")
    assert sizes() == before
    agreements_remove(demo)
    assert not NumberDay.objects.exists() and not LimitRequest.objects.exists()
