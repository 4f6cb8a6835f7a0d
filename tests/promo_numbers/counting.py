"""Counts made from the rows alone, to hold the counters against."""

from promo_numbers.models import CampaignNumbers, NetworkNumbers, PromoNumber


def rows_of(network):
    """(total, dynamic) numbers that count, from the rows."""
    rows = PromoNumber.objects.filter(network=network).exclude(state="released")
    return rows.count(), rows.filter(ring_pool__isnull=False).count()


def counters_of(network):
    """(total, dynamic) as the counters say."""
    row = NetworkNumbers.objects.get(pk=network.pk)
    return row.total_used, row.dynamic_used


def static_of(campaign):
    """(rows, counter) of a campaign's static numbers."""
    rows = PromoNumber.objects.filter(campaign=campaign, ring_pool=None).exclude(state="released").count()
    return rows, CampaignNumbers.objects.get(pk=campaign.pk).used


def assert_counted(network):
    """The counters equal the rows, everywhere in the network."""
    assert counters_of(network) == rows_of(network)
    for row in CampaignNumbers.objects.filter(campaign__network=network).select_related("campaign"):
        rows, counter = static_of(row.campaign)
        assert counter == rows, row.campaign
