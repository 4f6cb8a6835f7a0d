"""Numbers and limits in the admin: the same rights, the same refusals, nothing written around the actions."""

import pytest
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, Contract, NetworkNumbers, PromoNumber

from portal.audit.models import AuditEvent
from portal.notices.models import Notice
from tests.factories import CampaignFactory, NetworkFactory, PromoNumberFactory
from tests.web.helpers import sign_in, text_of

pytestmark = pytest.mark.django_db

SENTENCE = "You&#x27;ve reached your promo number limit. To add a number you must increase your promo number limit."
ADD = "/admin/numbers/promonumber/add/"


def change(obj):
    return reverse(f"admin:numbers_{obj._meta.model_name}_change", args=[obj.pk])


def number(campaign, **values):
    return {
        "campaign": campaign.pk, "number": "", "description": "Flyer", "media_type": "Offline: Print",
        "promo_type": "Local", "id_from_network": "", "custom_data": "{}", **values,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"), [("limited", 403), ("observer", 403), ("member", 302), ("super", 302), ("staff", 302)]
)
def test_who_adds_in_the_admin(scene, name, status):
    response = sign_in(getattr(scene.people, name)).post(ADD, number(scene.roofing))
    assert response.status_code == status
    assert PromoNumber.objects.count() == (status == 302)
    assert AuditEvent.objects.filter(event="number.add").count() == (status == 302)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"allowed": 0}, "Promo Numbers Allowed on the campaign: 0 of 0 used. A Super User"),
        ({"total": 0}, "All numbers of the network: 0 of 0 used. Only platform staff raise it"),
    ],
)
def test_the_limits_refuse_with_the_sentence_and_the_ceiling(scene, limits, said):
    scene.limits(**limits)
    response = sign_in(scene.people.member).post(ADD, number(scene.roofing))
    assert response.status_code == 200 and SENTENCE in response.content.decode()
    assert said in text_of(response)
    assert not PromoNumber.objects.exists()


def test_what_is_wrong_stands_at_its_field(scene):
    response = sign_in(scene.people.member).post(ADD, number(scene.roofing, number="banana"))
    assert "is not a phone number" in text_of(response)
    other = CampaignFactory(advertiser__network=NetworkFactory())
    response = sign_in(scene.people.member).post(ADD, number(other))
    assert response.status_code == 200 and not PromoNumber.objects.exists()


def test_a_number_is_changed_through_its_action_and_never_moved_here(scene):
    row = PromoNumberFactory(campaign=scene.roofing)
    data = number(scene.plumbing, description="Poster", number="+18055550999", custom_data='{"a": 1}')
    assert sign_in(scene.people.observer).post(change(row), data).status_code == 403
    assert sign_in(scene.people.outsider).get(change(row)).status_code == 404
    assert sign_in(scene.people.member).post(change(row), data).status_code == 302
    after = PromoNumber.objects.get(pk=row.pk)
    assert (after.description, after.custom_data) == ("Poster", {"a": 1})
    assert (after.campaign_id, after.number) == (row.campaign_id, row.number)
    assert AuditEvent.objects.filter(event="number.update", actor=scene.people.member).count() == 1


def test_released_numbers_are_read_only_and_nothing_is_deleted(scene):
    row = actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
    client = sign_in(scene.people.staff)
    assert client.get(reverse("admin:numbers_promonumber_delete", args=[row.pk])).status_code == 403
    actions.numbers_release(by=None, numbers=[row])
    assert client.post(change(row), number(scene.roofing)).status_code == 403


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("limited", 404),
        ("outsider", 404),
        ("observer", 403),
        ("member", 403),
        ("manager", 403),
        ("super", 302),
        ("staff", 302),
    ],
)
def test_promo_numbers_allowed_is_a_supers(scene, name, status):
    row = CampaignNumbers.objects.get(pk=scene.roofing.pk)
    client = sign_in(getattr(scene.people, name))
    assert client.get(change(row)).status_code == (404 if status == 404 else 200)
    assert client.post(change(row), {"allowed": "15", "reason": "Spring"}).status_code == status
    row.refresh_from_db()
    assert row.allowed == (15 if status == 302 else 10)
    assert Notice.objects.filter(kind="number_limit.raised").count() == (name == "super")


def test_the_admin_refuses_what_the_page_refuses(scene):
    actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
    row = CampaignNumbers.objects.get(pk=scene.roofing.pk)
    client = sign_in(scene.people.super)
    assert "1 number is in use" in text_of(client.post(change(row), {"allowed": "0", "reason": "Less"}))
    assert "Say why" in text_of(client.post(change(row), {"allowed": "12", "reason": ""}))
    Contract.objects.create(network=scene.network, starts_on="2026-01-01", ends_on="2099-12-31", numbers=12)
    assert "That is 4,990 more" in text_of(client.post(change(row), {"allowed": "5000", "reason": "Big"}))
    row.refresh_from_db()
    assert row.allowed == 10
    assert client.post(change(row), {"allowed": "5000", "reason": "Big", "confirmed": "on"}).status_code == 302


@pytest.mark.parametrize(
    ("name", "status"), [("limited", 404), ("outsider", 404), ("observer", 403), ("super", 403), ("staff", 302)]
)
def test_network_limits_are_platform_staffs(scene, name, status):
    row = NetworkNumbers.objects.get(pk=scene.network.pk)
    client = sign_in(getattr(scene.people, name))
    assert client.get(change(row)).status_code == (404 if status == 404 else 200)
    data = {"total_limit": "70", "dynamic_limit": "", "campaign_default": "4", "reason": "Deal"}
    assert client.post(change(row), data).status_code == status
    row.refresh_from_db()
    assert (row.total_limit, row.dynamic_limit, row.campaign_default) == (
        (70, None, 4) if status == 302 else (None, None, 10)
    )
    assert AuditEvent.objects.filter(event="number_limit.network").count() == (status == 302)


def test_a_network_limit_below_use_is_refused(scene):
    for _ in range(2):
        actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
    row = NetworkNumbers.objects.get(pk=scene.network.pk)
    data = {"total_limit": "1", "dynamic_limit": "", "campaign_default": "4", "reason": ""}
    response = sign_in(scene.people.staff).post(change(row), data)
    assert response.status_code == 200 and "2 numbers are in use" in text_of(response)


def test_lists_are_searched_through_the_index_and_restricted(scene):
    mine = PromoNumberFactory(campaign=scene.roofing, number="+18055550123")
    PromoNumberFactory(campaign=CampaignFactory(advertiser__network=NetworkFactory()), number="+18055550124")
    client = sign_in(scene.people.observer)
    for name, shown in (("promonumber", str(mine)), ("campaignnumbers", "Roofing"), ("networknumbers", "Acme")):
        page = client.get(reverse(f"admin:numbers_{name}_changelist"))
        assert page.status_code == 200 and shown in text_of(page)
    page = text_of(client.get(reverse("admin:numbers_promonumber_changelist"), {"q": "(805) 555-012"}))
    assert "+18055550123" in page and "+18055550124" not in page
