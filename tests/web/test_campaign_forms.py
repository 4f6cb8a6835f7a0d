"""Creating and changing campaigns, bundles and advertisers in pages."""

import pytest
from django.urls import reverse

from campaigns import actions
from campaigns.models import Advertiser, BundleDestination, Campaign
from tests.factories import (
    CampaignFactory,
    MembershipFactory,
)
from tests.web.helpers import first_of, sign_in, text_of

pytestmark = pytest.mark.django_db


def campaign_post(**values) -> dict:
    data = {
        "name": "Denver desk", "time_zone": "America/Denver", "currency": "USD", "payin": "", "payout": "12.50",
        "campaign_type": "DirectOnly", "destination_phone_number": "(303) 555-0100", "operating_24_7": "on",
        "region_name": [""], "region_type": ["City"], "region_value": [""],
    }  # fmt: skip
    return data | values


def test_create_a_campaign_with_overnight_hours_and_regions(advertiser, personas, places):
    data = campaign_post(
        advertiser=f"{advertiser.name} [{advertiser.id_from_network}]",
        friday_open="22:00", friday_closed="06:00", friday_overnight="on",
        region_name=["Front Range", "Front Range", ""], region_type=["City", "Prefix", "State"],
        region_value=["Denver, CO", "720, 970", ""],
    )  # fmt: skip
    del data["operating_24_7"]
    response = sign_in(personas.member).post(reverse("campaigns:new"), data)
    campaign = Campaign.objects.get(name="Denver desk")
    assert response.url == reverse("campaigns:detail", args=[campaign.pk])
    assert (campaign.status, campaign.destination_phone_number) == ("Pending", "+13035550100")
    assert campaign.hours == {"friday_open": 79200, "friday_closed": 108000}
    assert [region["value"] for region in campaign.named_regions[0]["regions"]] == ["Denver, CO", "720, 970"]
    form = sign_in(personas.member).get(reverse("campaigns:edit", args=[campaign.pk])).context["form"]
    friday = next(row for row in form.hours if row["day"] == "friday")
    assert (friday["opens"], friday["closes"], friday["overnight"]) == ("22:00", "06:00", True)


def test_bad_hours_regions_and_numbers_are_marked_where_they_stand(advertiser, personas, places):
    data = campaign_post(
        advertiser=advertiser.name, destination_phone_number="12",
        region_name=["Here", "There"], region_type=["City", "State"], region_value=["Denver, CO", "Atlantis"],
    )  # fmt: skip
    client = sign_in(personas.member)
    response = client.post(reverse("campaigns:new"), data)
    assert response.status_code == 422
    form = response.context["form"]
    assert "destination_phone_number" in form.errors
    assert "Atlantis" in list(form.regions)[1]["error"] and next(iter(form.regions))["error"] is None
    response = client.post(
        reverse("campaigns:new"), data | {"monday_open": "18:00", "monday_closed": "08:00", "region_value": ["", ""]}
    )
    assert "tick “next day”" in text_of(response)
    assert not Campaign.objects.filter(name="Denver desk").exists()


def test_an_edit_over_somebody_elses_is_refused(bundle, personas):
    first = first_of(bundle)
    client = sign_in(personas.member)
    address = reverse("campaigns:edit", args=[first.pk])
    version = client.get(address).context["version"]
    actions.campaign_update(by=personas.manager, campaign=first, description="Changed meanwhile")
    response = client.post(address, campaign_post(version=version))
    assert response.status_code == 422 and "Somebody changed this campaign meanwhile" in text_of(response)
    first.refresh_from_db()
    assert first.name != "Denver desk"


def test_creating_and_editing_need_the_right(bundle, personas):
    client = sign_in(personas.observer)
    for address in (
        reverse("campaigns:new"),
        reverse("campaigns:edit", args=[bundle.pk]),
        reverse("campaigns:destination-add", args=[bundle.pk]),
        reverse("campaigns:advertiser-new"),
        reverse("campaigns:advertiser-edit", args=[bundle.advertiser_id]),
    ):
        for response in (client.get(address), client.post(address, campaign_post())):
            assert response.status_code == 403, address


def test_bundle_settings_and_its_copy(bundle, personas):
    client = sign_in(personas.member)
    other = CampaignFactory(advertiser=bundle.advertiser, name="Other overflow")
    data = {
        "name": bundle.name, "time_zone": "America/Denver", "currency": "USD", "payin": "0", "payout": "0",
        "distribution": "MostFree", "overflow": f"Other overflow [{other.id_from_network}]", "repeat_caller": "on",
        "repeat_window_days": "14", "version": client.get(reverse("campaigns:edit", args=[bundle.pk])).context["version"],
    }  # fmt: skip
    assert client.post(reverse("campaigns:edit", args=[bundle.pk]), data).status_code == 302
    bundle.refresh_from_db()
    assert (bundle.overflow, bundle.distribution, bundle.repeat_window_days) == (other, "MostFree", 14)
    assert "ignores the concurrent call cap" in text_of(client.get(reverse("campaigns:detail", args=[bundle.pk])))
    address = f"{reverse('campaigns:new')}?from={bundle.pk}"
    initial = client.get(address).context["form"].initial
    del data["version"]
    client.post(address, data | {"name": "The copy", "advertiser": initial["advertiser"]})
    assert Campaign.objects.get(name="The copy").destinations.count() == 2


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
