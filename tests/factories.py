"""Factories: each makes the smallest valid object, through the actions where there are rules."""

import factory
from factory.django import DjangoModelFactory
from promo_numbers.models import PromoNumber, RingPool, StockNumber

from campaigns import actions
from campaigns.choices import CampaignStatus, CampaignType
from campaigns.models import Advertiser, BundleDestination, Campaign, Cap
from portal.accounts.models import Membership, Network, NetworkGroup, User


class NetworkFactory(DjangoModelFactory):
    class Meta:
        model = Network

    name = factory.Sequence(lambda n: f"Network {n}")


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"User {n}")
    password = factory.django.Password("correct horse battery")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    network = factory.SubFactory(NetworkFactory)


class GroupFactory(DjangoModelFactory):
    class Meta:
        model = NetworkGroup

    network = factory.SubFactory(NetworkFactory)
    label = factory.Sequence(lambda n: f"Group {n}")


class AdvertiserFactory(DjangoModelFactory):
    class Meta:
        model = Advertiser

    network = factory.SubFactory(NetworkFactory)
    name = factory.Sequence(lambda n: f"Advertiser {n}")
    id_from_network = factory.Sequence(lambda n: f"adv-{n}")


class CampaignFactory(DjangoModelFactory):
    """A live destination campaign, open around the clock, everywhere, without caps."""

    class Meta:
        model = Campaign

    advertiser = factory.SubFactory(AdvertiserFactory)
    network = factory.SelfAttribute("advertiser.network")
    name = factory.Sequence(lambda n: f"Campaign {n}")
    id_from_network = factory.Sequence(lambda n: f"camp-{n}")
    campaign_type = CampaignType.DIRECT_ONLY
    status = CampaignStatus.LIVE
    destination_phone_number = "+13035550100"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        campaign = super()._create(model_class, *args, **kwargs)
        actions.profile_compile(campaign)
        return campaign


class BundleFactory(CampaignFactory):
    campaign_type = CampaignType.BUNDLED
    name = factory.Sequence(lambda n: f"Bundle {n}")
    destination_phone_number = ""


class PromoNumberFactory(DjangoModelFactory):
    class Meta:
        model = PromoNumber

    campaign = factory.SubFactory(BundleFactory)
    network = factory.SelfAttribute("campaign.network")
    number = factory.Sequence(lambda n: f"+1805555{n:04d}")
    description = "Billboard"


class RingPoolFactory(DjangoModelFactory):
    """An empty pool; fill it with `promo_numbers.actions`."""

    class Meta:
        model = RingPool

    campaign = factory.SubFactory(CampaignFactory)
    network = factory.SelfAttribute("campaign.network")
    name = factory.Sequence(lambda n: f"Pool {n}")
    id_from_network = factory.Sequence(lambda n: f"pool-{n}")


def stock(count: int, *, area_code: str = "805", start: int = 0, **values) -> list[StockNumber]:
    """`count` free numbers of an area code, from +1 <area code> 200 0000 on."""
    return StockNumber.objects.bulk_create(
        StockNumber(number=f"+1{area_code}{2_000_000 + start + n}", area_code=area_code, **values) for n in range(count)
    )


def cap(campaign: Campaign, amount, kind: str = "concurrent_calls", **values) -> Cap:
    """Set a cap as the system would."""
    return actions.cap_set(by=None, campaign=campaign, kind=kind, amount=amount, **values)


def changed(campaign: Campaign, **values) -> Campaign:
    """The campaign with other terms, in force: changed, and gone live with them if it is live."""
    campaign = actions.campaign_update(by=None, campaign=campaign, **values)
    return actions.campaign_move_status(by=None, campaign=campaign, move="go_live") if campaign.is_live else campaign


def bundle_of(*destinations: Campaign, **values) -> Campaign:
    """A live bundle of the destinations, all of priority 1 and weight 1, in order."""
    advertiser = destinations[0].advertiser if destinations else AdvertiserFactory()
    values.setdefault("distribution", "InOrder")
    bundle = BundleFactory(advertiser=advertiser, **values)
    for destination in destinations:
        BundleDestination.objects.create(bundle=bundle, destination=destination)
    return bundle


def destinations(count: int, caps=None, **values) -> list[Campaign]:
    """`count` destinations of one advertiser; `caps` is one concurrent cap for all or a list of them."""
    advertiser = values.pop("advertiser", None) or AdvertiserFactory()
    made = [CampaignFactory(advertiser=advertiser, **values) for _ in range(count)]
    for index, campaign in enumerate(made):
        amount = caps[index] if isinstance(caps, list) else caps
        if amount is not None:
            cap(campaign, amount)
    return made
