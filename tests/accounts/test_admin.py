"""The admin: rows and rights per object, writes through actions, no way up for oneself."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse
from unfold.paginator import InfinitePaginator
from unfold.sites import UnfoldAdminSite

from campaigns.actions import access_grant, call_route
from campaigns.models import Advertiser, BundleDestination, Campaign, Cap
from portal.accounts.models import Membership, Network, NetworkGroup, User
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.web.object_admin import ObjectAdmin, ReadOnlyAdmin
from tests import factories

MODELS = [model._meta.label_lower for model in admin.site._registry]


def change(obj) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def listed(client, name: str) -> str:
    answer = client.get(reverse(f"admin:{name}_changelist"))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def campaign(network):
    return factories.CampaignFactory(advertiser__network=network, advertiser__name="Roofers", name="Roofing West")


@pytest.fixture
def secret():
    return factories.CampaignFactory(advertiser__name="Hidden Inc", name="Hidden campaign")


def test_every_registered_model_stands_on_the_one_base():
    assert isinstance(admin.site, UnfoldAdminSite)
    strangers = {model for model, page in admin.site._registry.items() if not isinstance(page, ObjectAdmin)}
    assert not strangers
    assert Group not in admin.site._registry


def test_what_only_the_machinery_writes_is_listed_without_being_counted():
    counted = {
        model
        for model, page in admin.site._registry.items()
        if isinstance(page, ReadOnlyAdmin) and page.paginator is not InfinitePaginator
    }
    assert not counted


def test_there_is_no_bulk_action_and_no_secret_in_a_list(personas, client):
    client.force_login(personas.staff)
    for model, page in admin.site._registry.items():
        request = client.get("/admin/").wsgi_request
        assert page.get_actions(request) == {}, model
        assert not {"digest", "password"} & {*page.list_display, *(page.fields or ()), *page.readonly_fields}, model


@pytest.mark.parametrize("label", MODELS)
def test_every_list_opens_at_a_constant_cost_and_leaks_nothing(
    label, network, personas, campaign, secret, client, django_assert_max_num_queries
):
    for each in (campaign, secret):
        factories.cap(each, 3)
        factories.PromoNumberFactory(campaign=each)
        factories.GroupFactory(network=each.network, label=f"{each.name} group")
        call_route(
            by=None,
            network=each.network,
            campaign=factories.bundle_of(each, name=f"{each.name} bundle").pk,
            caller=None,
        )
    for _ in range(10):
        factories.CampaignFactory(advertiser=campaign.advertiser)
    url = reverse(f"admin:{label.replace('.', '_')}_changelist")
    client.force_login(personas.super)
    answer = client.get(url)
    assert answer.status_code == (403 if label == "accounts.user" else 200)
    page = answer.content.decode()
    assert "Hidden" not in page and secret.network.name not in page
    if answer.status_code == 200:
        with django_assert_max_num_queries(16):
            client.get(url)
    client.force_login(personas.staff)
    assert client.get(url).status_code == 200
    client.force_login(factories.UserFactory())  # belongs to nothing
    answer = client.get(url)
    assert answer.status_code == 403 or "0 " in answer.content.decode()


def test_other_networks_objects_are_404(network, personas, campaign, secret, client):
    cap = factories.cap(secret, 3)
    group = factories.GroupFactory(network=secret.network)
    strange = [secret, secret.advertiser, cap, secret.network, group, personas.outsider.memberships.get()]
    client.force_login(personas.super)
    for obj in strange:
        assert client.get(change(obj)).status_code == 404, obj
        assert client.post(change(obj), {}).status_code == 404, obj
    assert client.get(change(campaign)).status_code == 200


def test_a_limited_member_sees_what_is_granted(campaign, personas, client):
    other = factories.CampaignFactory(advertiser=campaign.advertiser, name="Siding North")
    access_grant(by=None, obj=campaign, to=personas.limited, action="view")
    client.force_login(personas.limited)
    page = listed(client, "campaigns_campaign")
    assert "Roofing West" in page and "Siding North" not in page
    assert client.get(change(campaign)).status_code == 200
    assert client.post(change(campaign), {"name": "x"}).status_code == 403
    assert client.get(change(other)).status_code == 404
    assert client.get(change(campaign.advertiser)).status_code == 404


def test_nobody_lifts_himself(network, personas, client):
    escalations = {
        "is_platform_staff": "on",
        "is_superuser": "on",
        "is_active": "on",
        "email": "x@acme.example",
        "role": 40,
    }
    for persona in ("limited", "observer", "member", "manager", "super"):
        user = getattr(personas, persona)
        client.force_login(user)
        own = network.memberships.get(user=user)
        assert client.post(change(user), escalations).status_code == 403
        if persona != "super":
            assert client.post(change(own), escalations).status_code in (403, 404)
        assert client.post(reverse("admin:accounts_user_add"), escalations).status_code == 403
        assert client.post(reverse("admin:accounts_network_add"), {"name": "Mine"}).status_code == 403
        user = User.objects.get(pk=user.pk)
        assert not user.is_platform_staff and not user.is_superuser
        assert user.roles == {network.pk: Role[persona.upper()]}
    client.force_login(personas.staff)
    client.post(
        change(personas.member), {"email": "member@acme.example", "name": "M", "is_active": "on", "is_superuser": "on"}
    )
    assert not User.objects.get(pk=personas.member.pk).is_superuser
    # A password is set by nobody but its owner.
    assert client.get(f"/admin/accounts/user/{personas.member.pk}/password/").status_code in (302, 404)


def test_secrets_cannot_be_guessed_through_filters(personas, client):
    client.force_login(personas.staff)
    url = reverse("admin:accounts_user_changelist")
    assert client.get(url, {"password__startswith": "md5"}).status_code in (302, 400)
    url = reverse("admin:accounts_apitoken_changelist")
    assert client.get(url, {"digest__startswith": "a"}).status_code in (302, 400)
    client.force_login(personas.super)
    url = reverse("admin:accounts_membership_changelist")
    assert client.get(url, {"user__password__startswith": "md5"}).status_code in (302, 400)


def test_caps_need_their_own_right(campaign, personas, client):
    cap = factories.cap(campaign, 5)
    form = {"amount": "3", "alert_thresholds": "75,90,100"}
    client.force_login(personas.member)  # may change the campaign, not its caps
    page = client.get(change(cap)).content.decode()
    assert 'name="amount"' not in page
    assert client.post(change(cap), form).status_code == 403
    assert client.post(reverse("admin:campaigns_cap_delete", args=[cap.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:campaigns_cap_add")).status_code == 403
    access_grant(by=None, obj=campaign, to=personas.observer, action="change_budget_caps")
    AuditEvent.objects.all().delete()
    client.force_login(personas.observer)
    assert client.post(change(cap), form).status_code == 302
    cap.refresh_from_db()
    assert cap.amount == 3
    event = AuditEvent.objects.get()
    assert (event.event, event.actor, event.changes["amount"]) == ("cap.change", personas.observer, ["5.00", "3"])
    assert client.post(reverse("admin:campaigns_cap_delete", args=[cap.pk]), {"post": "yes"}).status_code == 302
    assert not Cap.objects.exists()


def test_a_refusal_becomes_the_forms_error_and_nothing_is_written(campaign, personas, client):
    cap = factories.cap(campaign, 5)
    client.force_login(personas.manager)
    answer = client.post(change(cap), {"amount": "-1", "alert_thresholds": "75"})
    assert answer.status_code == 200 and "cannot be negative" in answer.content.decode()
    answer = client.post(change(cap), {"amount": "2.5", "alert_thresholds": "75"})
    assert "whole calls" in answer.content.decode()
    cap.refresh_from_db()
    assert cap.amount == 5 and cap.alert_thresholds == [75, 90, 100]
    campaign.network.concurrent_call_caps_enabled = False
    campaign.network.save()
    answer = client.post(change(cap), {"amount": "4", "alert_thresholds": "75"})
    assert "not switched on" in answer.content.decode()
    bundle = factories.bundle_of(campaign)
    add = {"campaign": bundle.pk, "kind": "concurrent_calls", "amount": "4", "alert_thresholds": "75"}
    assert "is a bundle" in client.post(reverse("admin:campaigns_cap_add"), add).content.decode()
    assert Cap.objects.count() == 1


def test_a_campaign_and_its_destinations_in_one_go(campaign, personas, client):
    second = factories.CampaignFactory(advertiser=campaign.advertiser)
    bundle = factories.bundle_of(campaign)
    row = BundleDestination.objects.get()
    form = {
        "name": "Renamed", "time_zone": "America/Denver", "hours": "{}", "named_regions": "[]", "currency": "USD", "payin": "0",
        "payout": "0", "operating_24_7": "on", "distribution": "InOrder", "repeat_window_days": "30",
        "destinations-TOTAL_FORMS": "2", "destinations-INITIAL_FORMS": "1", "destinations-0-id": row.pk,
        "destinations-0-bundle": bundle.pk, "destinations-0-destination": campaign.pk, "destinations-0-priority": "2",
        "destinations-0-weight": "7", "destinations-1-bundle": bundle.pk, "destinations-1-destination": second.pk,
        "destinations-1-priority": "1", "destinations-1-weight": "1",
    }  # fmt: skip
    client.force_login(personas.member)
    bad = client.post(change(bundle), {**form, "destinations-1-weight": "99999"})
    assert bad.status_code == 200 and "Weight is a whole number" in bad.content.decode()
    bundle.refresh_from_db()
    assert bundle.name != "Renamed" and bundle.destinations.count() == 1 and not AuditEvent.objects.exists()
    assert client.post(change(bundle), form).status_code == 302
    bundle.refresh_from_db()
    # The name changes at once; the terms of a live campaign wait for Go live.
    assert (bundle.name, bundle.draft["time_zone"]) == ("Renamed", "America/Denver")
    assert list(bundle.destinations.values_list("destination", "priority", "weight")) == [
        (second.pk, 1, 1),
        (campaign.pk, 2, 7),
    ]
    events = list(AuditEvent.objects.order_by("id").values_list("event", flat=True))
    assert events == ["campaign.update", "campaign.draft", "bundle.destination_update", "bundle.destination_add"]
    gone = {**form, "destinations-TOTAL_FORMS": "1", "destinations-0-DELETE": "on"}
    client.post(change(bundle), gone)
    assert list(bundle.destinations.values_list("destination", flat=True)) == [second.pk]


def test_creating_offers_only_what_one_may_create_in(campaign, secret, personas, client):
    client.force_login(personas.member)
    url = reverse("admin:campaigns_advertiser_add")
    page = client.get(url).content.decode()
    assert "Acme" in page and secret.network.name not in page
    assert client.post(url, {"network": secret.network_id, "name": "Mine"}).status_code == 200
    assert client.post(url, {"network": campaign.network_id, "name": "Mine", "id_from_network": ""}).status_code == 302
    assert Advertiser.objects.get(name="Mine").id_from_network.startswith("adv-")
    url = reverse("admin:campaigns_campaign_add")
    new = {"advertiser": campaign.advertiser_id, "campaign_type": "DirectOnly", "name": "New", "id_from_network": "new"}
    assert client.post(url, {**new, "advertiser": secret.advertiser_id}).status_code == 200
    assert client.post(url, new).status_code == 302
    made = Campaign.objects.get(name="New")
    assert made.profile and made.status == "Pending"
    again = client.post(url, new)
    assert again.status_code == 200 and "is taken" in again.content.decode()
    client.force_login(personas.observer)
    assert client.get(url).status_code == 403


def test_autocomplete_leaks_nothing(campaign, secret, personas, client):
    client.force_login(personas.member)
    asked = {"app_label": "campaigns", "model_name": "bundledestination", "field_name": "destination", "term": ""}
    found = client.get("/admin/autocomplete/", asked).json()["results"]
    assert [row["text"] for row in found] == ["Roofing West"]


def test_an_advertiser_with_campaigns_stays(campaign, personas, client):
    client.force_login(personas.manager)
    url = reverse("admin:campaigns_advertiser_delete", args=[campaign.advertiser_id])
    assert client.get(url).status_code == 200 and Advertiser.objects.filter(pk=campaign.advertiser_id).exists()
    answer = client.post(url, {"post": "yes"}, follow=True)
    assert "still has 1 campaign" in answer.content.decode()
    empty = factories.AdvertiserFactory(network=campaign.network)
    url = reverse("admin:campaigns_advertiser_delete", args=[empty.pk])
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Advertiser.objects.filter(pk=empty.pk).exists()
    client.force_login(personas.member)
    assert client.post(reverse("admin:campaigns_advertiser_delete", args=[campaign.advertiser_id])).status_code == 403


def test_members_and_groups_go_through_their_actions(network, personas, client):
    client.force_login(personas.super)
    own = network.memberships.get(user=personas.super)
    answer = client.post(change(own), {"role": "10"})
    assert answer.status_code == 200 and "last Super" in answer.content.decode()
    answer = client.post(reverse("admin:accounts_membership_delete", args=[own.pk]), {"post": "yes"}, follow=True)
    assert "last Super" in answer.content.decode() and Membership.objects.filter(pk=own.pk).exists()
    row = network.memberships.get(user=personas.observer)
    assert client.post(change(row), {"role": "20"}).status_code == 302
    row.refresh_from_db()
    assert row.role == Role.MEMBER
    other = factories.NetworkFactory()
    url = reverse("admin:accounts_networkgroup_add")
    assert client.post(url, {"network": other.pk, "label": "Mine"}).status_code == 200
    assert client.post(url, {"network": network.pk, "label": "Mine"}).status_code == 302
    assert NetworkGroup.objects.get().network == network
    assert set(AuditEvent.objects.values_list("event", flat=True)) == {"member.change_role", "group.create"}


def test_a_networks_contract_is_read_only_for_its_super(network, personas, client):
    client.force_login(personas.super)
    form = {
        "name": "Acme",
        "time_zone": "America/Denver",
        "country": "US",
        "currency": "USD",
        "call_fee_per_minute": "5",
    }
    assert client.post(change(network), form).status_code == 302
    network.refresh_from_db()
    assert (
        network.time_zone == "America/Denver"
        and network.call_fee_per_minute == 0
        and network.concurrent_call_caps_enabled
    )
    client.force_login(personas.staff)
    assert client.post(change(network), form).status_code == 302
    network.refresh_from_db()
    assert network.call_fee_per_minute == 5 and not network.concurrent_call_caps_enabled
    assert client.post(reverse("admin:accounts_network_add"), {**form, "name": "Beta"}).status_code == 302
    assert Network.objects.filter(name="Beta").exists()
    assert client.post(reverse("admin:accounts_network_delete", args=[network.pk]), {"post": "yes"}).status_code == 403


def test_staff_open_and_close_accounts(personas, client, django_capture_on_commit_callbacks):
    client.force_login(personas.staff)
    url = reverse("admin:accounts_user_add")
    assert client.post(url, {"email": "csm@example.com", "name": "CSM", "is_platform_staff": "on"}).status_code == 302
    made = User.objects.get(email="csm@example.com")
    assert made.is_platform_staff and not made.has_usable_password()
    answer = client.post(url, {"email": "CSM@example.com"})
    assert answer.status_code == 200 and "already" in answer.content.decode()
    form = {"email": "csm@example.com", "name": "CSM", "is_platform_staff": "on"}
    assert client.post(change(made), form).status_code == 302
    assert not User.objects.get(pk=made.pk).is_active
    answer = client.post(
        change(personas.staff), {"email": personas.staff.email, "name": "S", "is_platform_staff": "on"}
    )
    assert "Another of the platform staff" in answer.content.decode()


def test_calls_and_events_are_to_read(campaign, personas, client):
    bundle = factories.bundle_of(campaign)
    routed = call_route(by=None, network=campaign.network, campaign=bundle.pk, caller="+13035550199")
    client.force_login(personas.super)
    page = client.get(reverse("admin:campaigns_call_change", args=[routed.call_id])).content.decode()
    assert "+13035550199" in page and 'name="_save"' not in page
    for name, pk in (("campaigns_call", routed.call_id), ("campaigns_callleg", routed.leg_id)):
        assert client.post(reverse(f"admin:{name}_change", args=[pk]), {}).status_code == 403
        assert client.get(reverse(f"admin:{name}_add")).status_code == 403
        assert client.post(reverse(f"admin:{name}_delete", args=[pk]), {"post": "yes"}).status_code == 403


def test_history_leads_to_the_audit_log(campaign, personas, client):
    client.force_login(personas.manager)
    url = reverse("admin:campaigns_campaign_history", args=[campaign.pk])
    assert client.get(url)["Location"] == f"/audit/?object=campaigns.campaign%3A{campaign.pk}"
