"""Fixtures of the tests of promo numbers."""

from types import SimpleNamespace

import pytest
from promo_numbers import actions
from promo_numbers.actions import imports
from promo_numbers.models import CampaignNumbers, NetworkNumbers

from campaigns.actions import access_grant
from portal.accounts.roles import Role
from tests.factories import AdvertiserFactory, CampaignFactory, MembershipFactory, RingPoolFactory, stock

from .buying import WANTED


@pytest.fixture
def scene(network, personas, nothing_remembered):
    """A network with people, a stock of 200 numbers in 805, two campaigns and a RingPool, without network limits."""
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    roofing = CampaignFactory(advertiser=advertiser, name="Roofing", id_from_network="roofing")
    plumbing = CampaignFactory(advertiser=advertiser, name="Plumbing", id_from_network="plumbing")
    pool = RingPoolFactory(campaign=roofing, name="Web", id_from_network="web")
    stock(200)

    def limits(*, allowed=None, total=None, dynamic=None):
        if allowed is not None:
            CampaignNumbers.objects.filter(campaign__network=network).update(allowed=allowed)
        NetworkNumbers.objects.filter(pk=network.pk).update(total_limit=total, dynamic_limit=dynamic)

    return SimpleNamespace(
        network=network, people=personas, advertiser=advertiser, roofing=roofing, plumbing=plumbing, pool=pool,
        limits=limits,
    )  # fmt: skip


@pytest.fixture
def cloud(settings):
    """A server that speaks Twilio's REST; it sells to every network."""
    from .twilio_cloud import ACCOUNT, TOKEN, Cloud

    made = Cloud()
    settings.TWILIO_API_URL, settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = made.url, ACCOUNT, TOKEN
    settings.PROMO_NUMBER_SUPPLIER, settings.PROMO_NUMBER_SUPPLIER_NETWORKS = "twilio", []
    settings.PROMO_NUMBER_SUPPLIER_TIMEOUT = 1.0
    yield made
    made.close()


# Imports.


@pytest.fixture
def no_worker(monkeypatch):
    """The tests do a worker's work themselves; one starts a real process."""
    monkeypatch.setattr(imports, "_wake", lambda job_id: None)


# The API.


@pytest.fixture
def api(scene, as_):
    return as_("member")


@pytest.fixture(params=["2015-05-01", "2022-08-01"])
def old(scene, as_, request):
    return as_("member", version=request.param)


# Pages.


@pytest.fixture
def holder(scene):
    """A member of the network who holds nothing but `manage_numbers` on Roofing."""
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    access_grant(by=None, obj=scene.roofing, to=user, action="manage_numbers")
    return user


# Purchases.


@pytest.fixture
def webhooks(settings):
    settings.PORTAL_URL = "https://portal.example"


@pytest.fixture
def buy(scene, cloud):
    """`buy()`: add a number that the stock does not have. The supplier has 40 of them."""
    cloud.stock(40, area_code="303", locality="Denver", region="CO")

    def add(by=None, campaign=None, **values):
        return actions.number_add(
            by=by,
            campaign=campaign or scene.roofing,
            description="Flyer",
            wanted=values.pop("wanted", WANTED),
            **values,
        )

    return add
