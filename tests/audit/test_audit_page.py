"""The audit log: who may read it, the filters, the pages, the export."""

import csv
import io
import zoneinfo
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.actions import access_grant, campaign_update, cap_set
from portal.accounts.models import User
from portal.audit import queries
from portal.audit.actions import record
from portal.audit.models import AuditEvent
from tests import factories

URL = "/audit/"


@pytest.fixture
def campaign(network):
    return factories.CampaignFactory(advertiser__network=network, name="Roofing West")


@pytest.fixture
def events(campaign, personas):
    """Three changes by three hands, and one in another network."""
    cap_set(by=personas.manager, campaign=campaign, kind="concurrent_calls", amount=5)
    cap_set(by=personas.super, campaign=campaign, kind="concurrent_calls", amount=8)
    campaign_update(by=None, campaign=campaign, name="Roofing East")
    factories.cap(factories.CampaignFactory(name="Secret"), 3)
    return AuditEvent.objects.order_by("id")


def table(answer) -> str:
    page = answer.content.decode()
    return page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""


def test_a_manager_reads_it_and_others_do_not(events, personas, client):
    for persona, status in (
        ("limited", 403),
        ("observer", 403),
        ("member", 403),
        ("manager", 200),
        ("super", 200),
        ("staff", 200),
    ):
        client.force_login(getattr(personas, persona))
        assert client.get(URL).status_code == status, persona
        assert client.get(f"{URL}export.csv").status_code == status, persona
    client.logout()
    assert client.get(URL).status_code == 302
    client.force_login(personas.manager)
    assert "Secret" not in client.get(URL).content.decode()


def test_old_and_new_are_readable(events, personas, client):
    client.force_login(personas.manager)
    rows = table(client.get(URL))
    assert "<del>5</del>" in rows.replace("5.00", "5") and "Roofing East" in rows and "System" in rows


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"who": "manager@"}, 1), ({"who": "system"}, 1), ({"event": "cap"}, 2), ({"event": "cap.change"}, 1),
        ({"event": "nothing"}, 0), ({"text": "roofing east"}, 1), ({"request_id": "nope"}, 0), ({"token": "abc"}, 0),
        ({"since": "2000-01-01T00:00"}, 3), ({"until": "2000-01-01T00:00"}, 0), ({"since": "gibberish"}, 3), ({}, 3),
    ],
)  # fmt: skip
def test_filters(events, personas, client, asked, found):
    client.force_login(personas.super)
    assert table(client.get(URL, asked)).count("<tr>") == found


def test_an_objects_history_is_for_whoever_sees_the_object(events, campaign, personas, client):
    asked = {"object": f"campaigns.campaign:{campaign.pk}"}
    for persona, status in (("limited", 404), ("outsider", 404), ("observer", 200), ("manager", 200)):
        client.force_login(getattr(personas, persona))
        assert client.get(URL, asked).status_code == status, persona
    assert table(client.get(URL, asked)).count("<tr>") == 3
    access_grant(by=None, obj=campaign, to=personas.limited, action="view")
    client.force_login(personas.limited)
    assert client.get(URL, asked).status_code == 200
    assert client.get(URL).status_code == 403
    for bad in ("campaigns.campaign:x", "no.model:1", "accounts.user:1", "campaigns.campaign", ":"):
        assert client.get(URL, {"object": bad}).status_code in (403, 404), bad
    assert [event.event for event in queries.history_of(campaign, limit=2)] == ["access.grant", "campaign.update"]


def test_the_history_in_a_foreign_current_network_stays_the_objects_own(events, campaign, personas, client):
    """Somebody of two networks who looks at the other one still gets this object's events and no others."""
    other = factories.MembershipFactory(user=personas.observer, role=40).network
    session_user = User.objects.get(pk=personas.observer.pk)
    client.force_login(session_user)
    client.post("/networks/switch/", {"network": other.pk})
    answer = client.get(URL, {"object": f"campaigns.campaign:{campaign.pk}"})
    assert table(answer).count("<tr>") == 3


def test_pages_by_keyset_cost_the_same(campaign, personas, client, django_assert_max_num_queries):
    for number in range(120):
        record(event="test.note", obj=campaign, by=personas.manager, changes={"n": [None, number]})
    client.force_login(personas.manager)
    client.get(URL)
    with django_assert_max_num_queries(9):
        first = client.get(URL)
    assert table(first).count("<tr>") == 50
    seen, page = 50, first.context["events"]
    while page.after:
        page = client.get(URL, {"after": page.after}).context["events"]
        seen += len(page)
    assert seen == 120


def test_the_export_is_the_list_and_safe_in_a_spreadsheet(events, campaign, personas, client):
    record(
        event="campaign.note",
        obj=campaign,
        by=personas.manager,
        reason="=HYPERLINK(1)",
        changes={"a": [1, 2], "b": [3, 4]},
    )
    client.force_login(personas.manager)
    answer = client.get(f"{URL}export.csv", {"event": "campaign"})
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0][:4] == ["time", "who", "token", "event"]
    assert [row[3] for row in rows[1:]] == ["campaign.note", "campaign.note", "campaign.update"]
    assert rows[1][10] == "'=HYPERLINK(1)" and rows[1][7:10] == ["a", "1", "2"]
    assert rows[3][1] == "system"


def test_events_above_networks_are_for_platform_staff(personas, client):
    record(event="user.create", obj=personas.observer, by=personas.staff)
    client.force_login(personas.staff)
    assert "user.create" in table(client.get(URL, {"scope": "platform"}))
    client.force_login(personas.super)
    assert "user.create" not in table(client.get(URL, {"scope": "platform"}))


def test_the_time_filter_reads_the_pages_zone(campaign, personas, client, network):
    network.time_zone = "America/Denver"
    network.save()
    event = record(event="test.note", obj=campaign, by=None)
    AuditEvent.objects.filter(pk=event.pk).update(at=timezone.now() - timedelta(hours=1))
    client.force_login(personas.manager)
    local = timezone.now().astimezone(zoneinfo.ZoneInfo("America/Denver")) - timedelta(hours=2)
    assert table(client.get(URL, {"since": local.strftime("%Y-%m-%dT%H:%M")})).count("<tr>") == 1
    later = local + timedelta(minutes=90)
    assert table(client.get(URL, {"since": later.strftime("%Y-%m-%dT%H:%M")})).count("<tr>") == 0
