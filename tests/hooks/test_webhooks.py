"""Webhooks: real messages over real HTTP to a server of ours, verified with the standard's own library."""

import json
from contextlib import suppress

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.hooks import actions
from portal.hooks.models import Delivery, Webhook
from tests.campaigns.race import together

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "cap.alert"


def tell(network, key="k1", kind=KIND):
    return actions.emit(network=network, kind=kind, data={"campaign": "roofing", "percent": 75}, key=key)


def due_now():
    Delivery.objects.filter(state="waiting").update(next_at=timezone.now())


def test_a_message_is_signed_as_the_standard_says(network, receiver):
    _, secret = actions.webhook_create(by=None, network=network, url=receiver.url, kinds=[KIND])
    assert tell(network) == 1
    assert tell(network) == 1, "the same key again"
    assert actions.deliveries_send() == 1
    ((_, headers, body),) = receiver.received
    assert Verifier(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    assert json.loads(body)["data"] == {"campaign": "roofing", "percent": 75}
    message = Delivery.objects.get()
    assert message.state == "done" and headers["webhook-id"] == str(message.pk)
    assert actions.deliveries_send() == 0


def test_only_what_was_chosen_and_only_while_on(network, receiver):
    webhook, _ = actions.webhook_create(by=None, network=network, url=receiver.url, kinds=["cap.recovered"])
    assert tell(network) == 0
    actions.webhook_update(by=None, webhook=webhook, kinds=[], is_active=False)
    assert tell(network) == 0
    actions.webhook_update(by=None, webhook=webhook, kinds=[], is_active=True)
    assert tell(network) == 1


def test_it_is_tried_again_and_then_given_up_and_replayed(network, receiver):
    actions.webhook_create(by=None, network=network, url=receiver.url)
    tell(network)
    receiver.answers["*"] = 500
    for tries in range(1, 11):
        due_now()
        assert actions.deliveries_send() == 0
        message = Delivery.objects.get()
        assert message.tries == tries and message.last_status == 500
        if tries < 10:
            assert message.state == "waiting" and message.next_at > timezone.now()
    assert message.state == "failed"
    receiver.answers["*"] = 204
    actions.delivery_replay(by=None, delivery=message)
    assert actions.deliveries_send() == 1
    ids = {headers["webhook-id"] for _, headers, _ in receiver.received}
    assert ids == {str(message.pk)} and len(receiver.received) == 11


def test_gone_switches_it_off(network, receiver):
    actions.webhook_create(by=None, network=network, url=receiver.url)
    tell(network)
    receiver.answers["*"] = 410
    actions.deliveries_send()
    webhook = Webhook.objects.get()
    assert not webhook.is_active and "410" in webhook.off_because


def test_sixteen_workers_send_each_message_once(network, receiver):
    actions.webhook_create(by=None, network=network, url=receiver.url)
    for number in range(40):
        tell(network, key=f"k{number}")
    together(lambda number: actions.deliveries_send())
    assert len(receiver.received) == 40
    assert Delivery.objects.filter(state="done").count() == 40


def test_requests_at_once_make_no_more_webhooks_than_a_network_may_have(network, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    for number in range(actions.AT_MOST - 1):
        actions.webhook_create(by=None, network=network, url=f"http://127.0.0.1:9/{number}")

    def make(number):
        with suppress(Conflict):
            actions.webhook_create(by=None, network=network, url=f"http://127.0.0.1:9/one-more-{number}")

    together(make, 8)
    assert Webhook.objects.count() == actions.AT_MOST


def test_never_to_a_private_address(network, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    for url, code in (
        ("http://127.0.0.1/x", "private_address"),
        ("http://[::1]/x", "private_address"),
        ("http://169.254.169.254/latest", "private_address"),
        ("ftp://example.com/x", "not_an_address"),
        ("https://user:pw@example.com/x", "secret_in_url"),
        ("nonsense", "not_an_address"),
    ):
        with pytest.raises(Invalid) as refused:
            actions.webhook_create(by=None, network=network, url=url)
        assert refused.value.code == code and refused.value.field == "url", url
    assert not Webhook.objects.exists()


def test_an_address_that_became_private_is_not_asked(network, receiver, settings):
    actions.webhook_create(by=None, network=network, url=receiver.url)
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    tell(network)
    assert actions.deliveries_send() == 0
    assert receiver.received == [] and "not public" in Delivery.objects.get().last_error


def test_the_secret_is_shown_once_and_kept_sealed(personas, receiver, client):
    client.force_login(personas.super)
    answer = client.post(reverse("hooks:list"), {"url": receiver.url, "kinds": [KIND]})
    secret = answer.context["secret"]
    assert secret.startswith("whsec_") and "no-store" in answer["Cache-Control"]
    assert secret not in client.get(reverse("hooks:list")).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM hooks_webhook")
        assert secret not in cursor.fetchone()[0]


@pytest.mark.parametrize("persona", ["limited", "observer", "member", "manager", "outsider"])
def test_only_a_super_keeps_webhooks(persona, personas, network, receiver, client):
    webhook, _ = actions.webhook_create(by=None, network=network, url=receiver.url)
    tell(network)
    user = getattr(personas, persona)
    message = Delivery.objects.get()
    for write in (
        lambda: actions.webhook_create(by=user, network=network, url=receiver.url + "/other"),
        lambda: actions.webhook_update(by=user, webhook=webhook, kinds=[], is_active=False),
        lambda: actions.webhook_delete(by=user, webhook=webhook),
        lambda: actions.delivery_replay(by=user, delivery=message),
    ):
        with pytest.raises((NotAllowed, NotFound)) as refused:
            write()
        assert refused.value.status in (403, 404)
    client.force_login(user)
    if persona != "outsider":  # an outsider looks at his own network there
        assert client.get(reverse("hooks:list")).status_code == 403
    for url in ("hooks:detail", "hooks:delete"):
        assert client.post(reverse(url, args=[webhook.pk]), {"is_active": ""}).status_code == 404
    assert Webhook.objects.get().is_active


def test_the_same_address_twice_is_refused(network, receiver):
    actions.webhook_create(by=None, network=network, url=receiver.url)
    with pytest.raises(Conflict):
        actions.webhook_create(by=None, network=network, url=receiver.url)


def test_pages(personas, network, receiver, client):
    client.force_login(personas.super)
    assert "No webhooks yet" in client.get(reverse("hooks:list")).content.decode()
    webhook, _ = actions.webhook_create(by=None, network=network, url=receiver.url)
    tell(network)
    page = client.get(reverse("hooks:detail", args=[webhook.pk])).content.decode()
    assert KIND in page and "Waiting" in page
    assert (
        client.post(reverse("hooks:detail", args=[webhook.pk]), {"kinds": [KIND], "is_active": "on"}).status_code == 302
    )
    assert client.post(reverse("hooks:delete", args=[webhook.pk])).status_code == 302
    assert not Webhook.objects.exists()
