"""Fixtures of the tests of pages."""

from types import SimpleNamespace

import pytest

from campaigns import actions
from portal.accounts.roles import Role
from tests.factories import (
    AdvertiserFactory,
    CampaignFactory,
    MembershipFactory,
    PromoNumberFactory,
    bundle_of,
    cap,
    destinations,
)

from .calls import PROMO, place


@pytest.fixture
def scene(network):
    """Two destinations of two advertisers in one bundle, an overflow, and a promo number that leads there."""
    north = CampaignFactory(advertiser=AdvertiserFactory(network=network), name="North Desk")
    south = CampaignFactory(advertiser=AdvertiserFactory(network=network), name="South Desk")
    overflow = CampaignFactory(advertiser=north.advertiser, name="Overflow Desk")
    cap(north, 1)
    bundle = bundle_of(north, south, name="Grand Bundle", overflow=overflow)
    PromoNumberFactory(campaign=bundle, number=PROMO)

    return SimpleNamespace(
        north=north, south=south, overflow=overflow, bundle=bundle, network=network,
        first=place(bundle, promo_number=PROMO), second=place(bundle, caller="+12125550188"),
    )  # fmt: skip


@pytest.fixture
def south_holder(scene):
    """A member who sees nothing but the destination “South Desk”."""
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=scene.south, to=user, action="view")
    return user


@pytest.fixture
def bundle_holder(scene):
    """A member who sees nothing but the bundle."""
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=scene.bundle, to=user, action="view")
    return user


@pytest.fixture
def advertiser(network):
    return AdvertiserFactory(network=network, name="Roofing")


@pytest.fixture
def bundle(advertiser):
    """A bundle of two destinations, the first capped at 5, with an overflow."""
    first, second = destinations(2, [5, None], advertiser=advertiser)
    return bundle_of(first, second, overflow=CampaignFactory(advertiser=advertiser, name="Answering service"))
