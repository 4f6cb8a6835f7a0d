"""The whole way of an alert: calls use up a cap, the beat tells of it, the bell, the mail and the signed webhook say so."""

import json
from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.core import mail
from playwright.sync_api import expect
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from campaigns import actions
from campaigns.models import AlertState, DestinationState
from portal.hooks.models import Delivery
from portal.notices.models import Notice
from tests.factories import AdvertiserFactory, CampaignFactory, bundle_of, cap

PERIOD = {"reset_period": "Monthly", "starts_at": "2026-01-01", "time_zone": "America/Denver"}


def beat(*names):
    """What the beat would start now: the tasks of its own schedule, by their names there."""
    current_app.loader.import_default_modules()
    for name in names:
        task = current_app.tasks[django_settings.CELERY_BEAT_SCHEDULE[name]["task"]]
        task.apply().get()


class Scene:
    """A bundle with one destination that may take four calls a month."""

    def __init__(self, network):
        self.network = network
        self.campaign = CampaignFactory(advertiser=AdvertiserFactory(network=network), name="Bluebird Denver")
        self.bundle = bundle_of(self.campaign, name="Solar quotes")
        cap(self.campaign, 4, "periodic_calls", **PERIOD)

    def call(self, count):
        for _ in range(count):
            routed = actions.call_route(by=None, network=self.network, campaign=self.bundle.pk, caller="+13035550123")
            for event in ("answered", "ended"):
                actions.call_event(by=None, network=self.network, call=routed.call_id, event=event)

    def next_day(self):
        """As if what was told so far had been told a day earlier."""
        for row in AlertState.objects.all():
            row.told_on -= timedelta(days=1)
            row.save()
        for rows in (Notice.objects.all(), Delivery.objects.all()):
            for row in rows:
                row.key += ":yesterday"
                row.save()


@pytest.fixture
def scene(network):
    return Scene(network)


@pytest.fixture
def told(page, live_server, sign_in, personas, scene, receiver):
    """A Super who made a webhook in the browser; its secret."""
    sign_in(personas.super)
    page.goto(f"{live_server.url}/webhooks/")
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_label("A cap's use reached a threshold").check()
    page.get_by_role("button", name="Make a webhook").click()
    return page.locator("#secret").inner_text()


def mails_to(user):
    return [message for message in mail.outbox if user.email in message.to]


def test_an_alert_from_the_call_to_the_bell_the_mail_and_the_webhook(
    page, live_server, personas, scene, told, receiver
):
    scene.call(2)
    beat("check-alerts", "send-mails", "send-webhooks")
    page.goto(live_server.url)
    expect(page.locator(".bell-count")).to_have_count(0)
    assert mail.outbox == [] and receiver.received == [], "half used is nobody's business"

    scene.call(1)
    beat("check-alerts", "check-alerts", "send-mails", "send-mails", "send-webhooks", "send-webhooks")
    page.reload()
    bell = page.get_by_label("Notices, 1 unread")
    expect(page.locator(".bell-count")).to_have_text("1")
    bell.press("Enter")
    alert = page.locator(".bell-notice button")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text("Periodic call cap of “Bluebird Denver” at 75 %")
    alert.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/campaigns/{scene.campaign.pk}/caps/")
    expect(page.locator("body")).to_contain_text("Bluebird Denver")
    expect(page.locator(".bell-count")).to_have_count(0)

    (message,) = mails_to(personas.super)
    assert "Bluebird Denver" in message.subject and f"/campaigns/{scene.campaign.pk}/caps/" in message.body
    assert len(mails_to(personas.manager)) == 1 and len(mail.outbox) == 2, "Managers and above, once each"

    ((_, headers, body),) = receiver.received
    headers = {name.lower(): value for name, value in headers.items()}
    assert Verifier(told).verify(body, headers)
    data = json.loads(body)["data"]
    assert (data["campaign"], data["used"], data["limit"], data["percent"]) == (
        scene.campaign.id_from_network,
        3,
        4,
        75.0,
    )
    with pytest.raises(WebhookVerificationError):
        Verifier(told).verify(body.replace(b"75", b"74"), headers)
    page.goto(f"{live_server.url}/webhooks/")
    page.get_by_role("link", name=receiver.url).click()
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Delivered")


def test_marked_as_read_on_the_page_of_notices(page, live_server, sign_in, personas, scene):
    scene.call(4)
    beat("check-alerts")
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/notices/")
    expect(page.get_by_label("Notices, 1 unread")).to_be_visible()
    expect(page.locator(".notice-list")).to_contain_text("Bundles send it no more calls until there is room")
    page.get_by_role("button", name="Mark as read: Periodic call cap").click()
    expect(page.locator(".bell-count")).to_have_count(0)
    expect(page.locator(".notice-list")).to_contain_text("at 100 %")
    page.get_by_role("button", name="Open: Periodic call cap").click()
    expect(page).to_have_url(f"{live_server.url}/campaigns/{scene.campaign.pk}/caps/")


def test_the_users_own_switch_stops_the_mail_and_not_the_bell(page, live_server, sign_in, personas, scene):
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/notices/settings/")
    page.get_by_label("Caps").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("body")).to_contain_text("Saved.")
    scene.call(3)
    beat("check-alerts", "send-mails")
    page.goto(live_server.url)
    expect(page.get_by_label("Notices, 1 unread")).to_be_visible()
    assert mails_to(personas.manager) == [] and len(mails_to(personas.super)) == 1, "each for himself"

    page.goto(f"{live_server.url}/notices/settings/")
    page.get_by_label("Caps").check()
    page.get_by_role("button", name="Save").click()
    scene.next_day()
    scene.call(1)
    assert DestinationState.objects.get(pk=scene.campaign.pk).calls_used == 4
    beat("check-alerts", "send-mails")
    page.goto(live_server.url)
    expect(page.get_by_label("Notices, 2 unread")).to_be_visible()
    assert len(mails_to(personas.manager)) == 1 and len(mails_to(personas.super)) == 2
