"""Loading the demo: through the actions, as users would; safe to repeat."""

from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from campaigns import actions
from campaigns.choices import CampaignStatus, CapKind
from campaigns.models import Advertiser, Call, Campaign
from portal.accounts.actions import network_create
from portal.accounts.models import Network, User

from .agreements import agreements_load, agreements_remove
from .catalog import BLUE_MESA, CENTRAL, COPPER_CREEK, WEEKDAYS, DemoNetwork, Destination, hours
from .history import history_write
from .numbers import limits_load, numbers_load, numbers_remove, stock_load
from .outbound import outbound_load, outbound_remove
from .people import STAFF, people_load
from .pools import pools_load, pools_remove

CAPS_START = "2026-01-01"


def demo_load(name: str = BLUE_MESA.name) -> Network:
    """Make both demo networks with users, campaigns and a past, whatever of it is missing. Returns the first, `name`."""
    stock_load()
    first, second = _network(replace(BLUE_MESA, name=name)), _network(COPPER_CREEK)
    people_load(first, second)
    limits_load(first)
    pools_load(first)
    for network, demo in ((first, BLUE_MESA), (second, COPPER_CREEK)):
        if not Call.objects.filter(network=network).exists():
            history_write(network, demo)
    for network in (first, second):
        agreements_load(network, STAFF)
    _cap_changed(first)
    _drafts(first)
    outbound_load(first)
    return first


def demo_remove(name: str = BLUE_MESA.name) -> None:
    """Remove what is in the demo networks, with the calls, which the portal itself never does.

    The networks themselves, their users and the audit trail stay.
    """
    for network in Network.objects.filter(name__in=[name, COPPER_CREEK.name]):
        with transaction.atomic(), connection.cursor() as cursor:
            # Campaigns that were called cannot be deleted: the calls go first.
            cursor.execute(
                "DELETE FROM campaigns_callleg l USING campaigns_call c WHERE c.id = l.call_id AND c.network_id = %s",
                [network.pk],
            )
            cursor.execute("DELETE FROM campaigns_call WHERE network_id = %s", [network.pk])
            cursor.execute(
                "DELETE FROM campaigns_repeatcaller r USING campaigns_campaign c"
                " WHERE c.id = r.bundle_id AND c.network_id = %s",
                [network.pk],
            )
            outbound_remove(network)
            agreements_remove(network)
            numbers_remove(network)
            pools_remove(network)
            campaigns = Campaign.objects.filter(network=network)
            campaigns.filter(campaign_type="Bundled").delete()
            campaigns.delete()
            Advertiser.objects.filter(network=network).delete()


def _network(demo: DemoNetwork) -> Network:
    network = Network.objects.filter(name=demo.name).first() or network_create(by=None, name=demo.name, **demo.settings)
    advertisers = {advertiser.id_from_network: advertiser for advertiser in network.advertisers.all()}
    for own_id, name in demo.advertisers.items():
        if own_id not in advertisers:
            advertisers[own_id] = actions.advertiser_create(by=None, network=network, name=name, id_from_network=own_id)
    campaigns = {campaign.id_from_network: campaign for campaign in network.campaigns.all()}
    for destination in demo.destinations:
        if destination.id not in campaigns:
            campaigns[destination.id] = _destination(destination, advertisers[destination.advertiser])
    for bundle in demo.bundles:
        if bundle.id in campaigns:
            continue
        with transaction.atomic():
            campaign = actions.campaign_create(
                by=None, advertiser=advertisers[bundle.advertiser], name=bundle.name, campaign_type="Bundled",
                id_from_network=bundle.id, distribution=bundle.distribution, repeat_caller=bundle.repeat_caller,
                overflow=campaigns[bundle.overflow] if bundle.overflow else None,
            )  # fmt: skip
            for own_id, priority, weight in bundle.destinations:
                actions.destination_add(
                    by=None, bundle=campaign, destination=campaigns[own_id], priority=priority, weight=weight
                )
            campaigns[bundle.id] = actions.campaign_move_status(by=None, campaign=campaign, move="go_live")
    numbers_load(network, demo, campaigns)
    return network


def _destination(made: Destination, advertiser: Advertiser) -> Campaign:
    with transaction.atomic():
        campaign = actions.campaign_create(
            by=None, advertiser=advertiser, name=made.name, campaign_type=made.kind, id_from_network=made.id,
            time_zone=made.zone, operating_24_7=made.hours is None, hours=made.hours or {},
            named_regions=[
                {"name": "Service area", "regions": [{"region_type": kind, "value": value} for kind, value in made.regions]}
            ] if made.regions else [],
            destination_phone_number=made.number, **_money(made),
        )  # fmt: skip
        if made.cap is not None:
            actions.cap_set(by=None, campaign=campaign, kind=CapKind.CONCURRENT_CALLS, amount=made.cap)
        for cap in made.caps:
            actions.cap_set(
                by=None, campaign=campaign, kind=cap.kind, amount=cap.amount, reset_period=cap.period,
                starts_at=CAPS_START, time_zone=made.zone,
            )  # fmt: skip
        for move in made.moves:
            campaign = actions.campaign_move_status(by=None, campaign=campaign, move=move)
    return campaign


def _money(made: Destination) -> dict[str, Any]:
    """Both sides' policies: the unconditional Base, then those with a condition."""
    base = {"payin": made.payin, "payout": made.payout}
    return {
        f"{side}_policies": [
            {"type": "Base", "amount": amount},
            *(
                {"type": policy.type, "amount": policy.amount, "condition": policy.condition}
                for policy in made.policies
                if policy.side == side
            ),
        ]
        for side, amount in base.items()
    }


def _drafts(network: Network) -> None:
    """Changes that a person has begun: of a campaign that is live, and a new one that he has not finished."""
    manager = User.objects.get(email="marco@bluemesa.example")
    changed = Campaign.objects.get(network=network, id_from_network="roofing-florida")
    if changed.status == CampaignStatus.LIVE and changed.payout == 62:
        policies = [
            {"type": "Base", "amount": "20", "condition": "connect_duration < 45"},
            {"type": "Base", "amount": "66"},
            {"type": "Bonus", "amount": "9", "condition": "connect_duration >= 6 min"},
        ]
        actions.campaign_update(
            by=manager, campaign=changed, payout_policies=policies,
            hours=hours((WEEKDAYS, 8, 20), (("saturday",), 9, 15)), description="Storm season: longer days from October on.",
        )  # fmt: skip
    if not Campaign.objects.filter(network=network, id_from_network="solar-texas").exists():
        actions.campaign_create(
            by=manager, advertiser=Advertiser.objects.get(network=network, id_from_network="brightfield"),
            name="Brightfield Texas", campaign_type="DirectOnly", id_from_network="solar-texas", time_zone=CENTRAL,
            operating_24_7=False, hours=hours((WEEKDAYS, 9, 18)),
            payin_policies=[{"type": "Base", "amount": "85"}],
            payout_policies=[
                {"type": "Base", "amount": "15", "condition": "connect_duration < 60"}, {"type": "Base", "amount": "62"},
            ],
        )  # fmt: skip


def _cap_changed(network: Network) -> None:
    """A change by a person, so that “recent changes” has something to show."""
    campaign = Campaign.objects.get(network=network, id_from_network="plumbing-24-7")
    cap = campaign.caps.get(kind=CapKind.CONCURRENT_CALLS)
    if campaign.status == CampaignStatus.LIVE and cap.amount == 4:
        manager = User.objects.get(email="marco@bluemesa.example")
        actions.cap_set(by=manager, campaign=campaign, kind=CapKind.CONCURRENT_CALLS, amount=5)
