"""Groups of a network, switching networks, a network's settings, accounts."""

from decimal import Decimal

import pytest
from django.urls import reverse

from portal.accounts import actions
from portal.accounts.models import Network, NetworkGroup, User
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories


def test_groups_are_made_renamed_filled_and_deleted_by_a_super(network, personas):
    group = actions.group_create(by=personas.super, network=network, label=" Night shift ")
    assert group.label == "Night shift"
    with pytest.raises(Conflict):
        actions.group_create(by=personas.super, network=network, label="night SHIFT")
    with pytest.raises(Invalid):
        actions.group_create(by=personas.super, network=network, label=" ")
    group = actions.group_rename(by=personas.super, group=group, label="Nights")
    assert actions.group_member_add(by=personas.super, group=group, user=personas.limited)
    assert not actions.group_member_add(by=personas.super, group=group, user=personas.limited)
    with pytest.raises(Invalid, match="does not belong"):
        actions.group_member_add(by=personas.super, group=group, user=personas.outsider)
    assert actions.group_member_remove(by=personas.super, group=group, user=personas.limited)
    assert not actions.group_member_remove(by=personas.super, group=group, user=personas.limited)
    actions.group_delete(by=personas.super, group=group)
    events = list(AuditEvent.objects.order_by("id").values_list("event", flat=True))
    assert events == ["group.create", "group.rename", "group.member_add", "group.member_remove", "group.delete"]


def test_a_manager_changes_no_group(network, personas):
    group = factories.GroupFactory(network=network)
    for attempt in (
        lambda: actions.group_create(by=personas.manager, network=network, label="Mine"),
        lambda: actions.group_rename(by=personas.manager, group=group, label="Mine"),
        lambda: actions.group_member_add(by=personas.manager, group=group, user=personas.manager),
        lambda: actions.group_delete(by=personas.manager, group=group),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(NotFound):
        actions.group_delete(by=personas.outsider, group=group)
    assert NetworkGroup.objects.get().label == group.label and not group.user_set.exists()


def test_groups_by_page(network, personas, client, django_assert_max_num_queries):
    client.force_login(personas.super)
    answer = client.post(reverse("accounts:groups"), {"label": "Agency"})
    group = NetworkGroup.objects.get()
    assert answer["Location"] == reverse("accounts:group", args=[group.pk])
    client.post(reverse("accounts:group-add", args=[group.pk]), {"user": personas.limited.pk})
    client.post(reverse("accounts:group-add", args=[group.pk]), {"user": "nobody"})
    assert list(group.user_set.all()) == [personas.limited]
    for _ in range(20):
        factories.GroupFactory(network=network)
    with django_assert_max_num_queries(8):
        page = client.get(reverse("accounts:groups")).content.decode()
    assert "Agency" in page
    assert "limited@acme.example" in client.get(reverse("accounts:group", args=[group.pk])).content.decode()
    client.post(reverse("accounts:group-remove", args=[group.pk]), {"user": personas.limited.pk})
    assert not group.user_set.exists()
    client.force_login(personas.observer)
    assert client.get(reverse("accounts:group", args=[group.pk])).status_code == 200
    assert client.post(reverse("accounts:group", args=[group.pk]), {"label": "Mine"}).status_code == 403
    assert client.post(reverse("accounts:group-delete", args=[group.pk])).status_code == 403
    client.force_login(personas.outsider)
    assert client.get(reverse("accounts:group", args=[group.pk])).status_code == 404


def test_switching_networks(network, personas, client):
    other = factories.MembershipFactory(user=personas.manager, role=Role.OBSERVER).network
    foreign = factories.NetworkFactory()
    client.force_login(personas.manager)
    url = reverse("accounts:switch-network")
    assert client.get(url).status_code == 405
    assert client.post(url, {"network": other.pk, "next": "/members/"})["Location"] == "/members/"
    assert f"belongs to {other}" in client.get("/members/").content.decode()
    for bad in (foreign.pk, "", "x", "9" * 40):
        assert client.post(url, {"network": bad}).status_code == 404
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert client.post(url, {"network": other.pk, "next": elsewhere})["Location"] == "/"


def test_platform_staff_find_and_reach_any_network(network, personas, client):
    Network.objects.bulk_create(Network(name=f"Tenant {n:03}") for n in range(210))
    client.force_login(personas.staff)
    last = Network.objects.get(name="Tenant 209")
    client.post(reverse("accounts:switch-network"), {"network": last.pk})
    assert "belongs to Tenant 209" in client.get("/members/").content.decode()
    found = client.get(reverse("accounts:networks"), {"q": "tenant 20"}).content.decode().split("<table")[1]
    assert "Tenant 205" in found and "Acme" not in found


def test_a_super_changes_settings_but_not_the_contract(network, personas, client):
    client.force_login(personas.super)
    url = reverse("accounts:network", args=[network.pk])
    values = {
        "name": "Acme Calls", "time_zone": "America/Denver", "country": "US", "currency": "USD", "auto_generate_ids": "on",
        "call_fee_per_minute": "9", "reason": "moved",
    }  # fmt: skip
    assert client.post(url, values).status_code == 302
    network.refresh_from_db()
    assert (network.name, network.time_zone) == ("Acme Calls", "America/Denver")
    assert network.concurrent_call_caps_enabled and network.call_fee_per_minute == 0
    with pytest.raises(NotAllowed, match="contract"):
        actions.network_update(by=personas.super, network=network, concurrent_call_caps_enabled=False)
    actions.network_update(
        by=personas.staff, network=network, call_fee_per_minute="0.05", concurrent_call_caps_enabled=False
    )
    network.refresh_from_db()
    assert network.call_fee_per_minute == Decimal("0.05") and not network.concurrent_call_caps_enabled
    client.force_login(personas.manager)
    assert client.get(url).status_code == 200
    assert client.post(url, values).status_code == 403
    client.force_login(personas.outsider)
    assert client.get(url).status_code == 404


def test_every_bad_setting_is_named_and_nothing_written(network, personas):
    with pytest.raises(Invalid) as refused:
        actions.network_update(
            by=personas.staff, network=network, name=" ", time_zone="Mars/Olympus", country="XX", currency="ZZZ",
            call_fee_per_minute="-1",
        )  # fmt: skip
    assert {field for field, _, _ in refused.value.problems} == {
        "name", "time_zone", "country", "currency", "call_fee_per_minute"
    }  # fmt: skip
    network.refresh_from_db()
    assert network.name == "Acme" and not AuditEvent.objects.exists()


def test_only_platform_staff_make_networks_and_accounts(network, personas):
    for by in (personas.super, personas.outsider):
        with pytest.raises(NotAllowed):
            actions.network_create(by=by, name="Mine")
        with pytest.raises(NotAllowed):
            actions.user_create(by=by, email="x@example.com", is_platform_staff=True)
        with pytest.raises(NotAllowed):
            actions.user_update(by=by, user=by, is_platform_staff=True)
        with pytest.raises(NotAllowed):
            actions.user_update(by=by, user=personas.staff, is_active=False)
    assert actions.network_create(by=personas.staff, name="Beta").pk
    with pytest.raises(Conflict):
        actions.network_create(by=personas.staff, name="Beta")


def test_accounts(network, personas):
    made = actions.user_create(by=personas.staff, email="CSM@example.com", is_platform_staff=True)
    assert made.is_platform_staff and made.email == "csm@example.com" and not made.is_superuser
    assert actions.user_update(by=personas.member, user=personas.member, name="Max").name == "Max"
    with pytest.raises(Conflict):
        actions.user_update(by=personas.staff, user=personas.staff, is_active=False)
    with pytest.raises(Conflict):
        actions.user_update(by=personas.staff, user=made, email="OBSERVER@acme.example")
    root = User.objects.create_superuser("root@example.com")
    actions.user_update(by=personas.staff, user=root, is_platform_staff=False)
    assert not User.objects.get(pk=root.pk).is_superuser
