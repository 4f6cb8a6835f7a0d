"""Fixtures of the tests of promo numbers."""

from types import SimpleNamespace

import pytest
from promo_numbers.models import CampaignNumbers, NetworkNumbers

from portal import memory
from tests.factories import AdvertiserFactory, CampaignFactory, RingPoolFactory, stock


@pytest.fixture
def scene(network, personas):
    """A network with people, a stock of 200 numbers in 805, two campaigns and a RingPool, without network limits."""
    memory.forget_everything()
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    roofing = CampaignFactory(advertiser=advertiser, name="Roofing", id_from_network="roofing")
    plumbing = CampaignFactory(advertiser=advertiser, name="Plumbing", id_from_network="plumbing")
    pool = RingPoolFactory(campaign=roofing, name="Web", id_from_network="web")
    stock(200)

    def limits(*, allowed=None, total=None, dynamic=None):
        if allowed is not None:
            CampaignNumbers.objects.filter(campaign__network=network).update(allowed=allowed)
        NetworkNumbers.objects.filter(pk=network.pk).update(total_limit=total, dynamic_limit=dynamic)

    yield SimpleNamespace(
        network=network, people=personas, advertiser=advertiser, roofing=roofing, plumbing=plumbing, pool=pool,
        limits=limits,
    )  # fmt: skip
    memory.forget_everything()


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
