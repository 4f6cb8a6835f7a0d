"""Destinations of bundles, pickers and advertisers in pages; campaigns themselves: test_wizard.py."""

import pytest
from django.urls import reverse

from campaigns.models import Advertiser, BundleDestination
from tests.factories import (
    CampaignFactory,
    MembershipFactory,
)
from tests.web.helpers import first_of, sign_in, text_of

pytestmark = pytest.mark.django_db


def test_destinations_are_added_changed_and_removed(bundle, personas):
    client = sign_in(personas.member)
    new = CampaignFactory(advertiser=bundle.advertiser, name="New desk")
    add = reverse("campaigns:destination-add", args=[bundle.pk])
    text = f"New desk [{new.id_from_network}]"
    assert client.post(add, {"destination": text, "priority": "2", "weight": "5"}).status_code == 302
    again = client.post(add, {"destination": text, "priority": "2", "weight": "5"})
    assert again.status_code == 422 and "already stands in" in text_of(again)
    assert "is not a destination campaign" in text_of(
        client.post(add, {"destination": bundle.name, "priority": 1, "weight": 1})
    )
    change = reverse("campaigns:destination-change", args=[bundle.pk, new.pk])
    assert "priority" in client.post(change, {"priority": "0", "weight": "5"}).context["form"].errors
    assert client.post(change, {"priority": "3", "weight": "0"}).status_code == 302
    row = BundleDestination.objects.get(bundle=bundle, destination=new)
    assert (row.priority, row.weight) == (3, 0)
    remove = reverse("campaigns:destination-remove", args=[bundle.pk, new.pk])
    assert client.get(remove).status_code == 405
    assert client.post(remove).status_code == 302
    assert not BundleDestination.objects.filter(pk=row.pk).exists()
    assert sign_in(personas.observer).post(remove).status_code in (403, 404)


def test_pickers_suggest_only_what_the_user_may_see(bundle, personas, places):
    first = first_of(bundle)
    expected = f"{first.name} [{first.id_from_network}]"
    address = reverse("campaigns:suggest-campaigns")
    assert expected in sign_in(personas.observer).get(address, {"q": first.name[:4]}).json()
    assert sign_in(personas.limited).get(address).json() == []
    assert expected not in sign_in(personas.outsider).get(address).json()
    cities = sign_in(personas.observer).get(reverse("campaigns:suggest-places"), {"q": "Denv", "type": "City"}).json()
    assert "Denver, CO" in cities


def test_advertisers_are_created_changed_and_deleted_only_when_empty(bundle, personas):
    client = sign_in(personas.manager)
    client.post(reverse("campaigns:advertiser-new"), {"name": "Solar", "id_from_network": "sol-1"})
    made = Advertiser.objects.get(id_from_network="sol-1")
    taken = client.post(reverse("campaigns:advertiser-new"), {"name": "Other", "id_from_network": "sol-1"})
    assert "is taken by" in taken.context["form"].errors["id_from_network"][0]
    client.post(reverse("campaigns:advertiser-edit", args=[made.pk]), {"name": "Mile High Solar"})
    made.refresh_from_db()
    assert made.name == "Mile High Solar"
    kept = client.post(reverse("campaigns:advertiser-delete", args=[bundle.advertiser_id]), follow=True)
    assert "only an advertiser without any can be deleted" in text_of(kept)
    member = MembershipFactory(network=bundle.network, role=20).user
    assert sign_in(member).post(reverse("campaigns:advertiser-delete", args=[made.pk])).status_code == 403
    client.post(reverse("campaigns:advertiser-delete", args=[made.pk]))
    assert not Advertiser.objects.filter(pk=made.pk).exists()
