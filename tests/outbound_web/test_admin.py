"""Outbound in the admin: to read, for whoever may see the object; no key, secret or PIN; the same cost for few and many."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from campaigns.actions import access_grant
from outbound import actions
from outbound.models import Attempt, Batch, Carrier, DoNotCallEntry, DoNotCallList, Recipient, ResultDelivery
from tests.factories import BundleFactory, NetworkFactory, PromoNumberFactory
from tests.web.helpers import sign_in, text_of

from .conftest import ANI, delivery, numbers, queries

pytestmark = pytest.mark.django_db

MODELS = [Batch, Recipient, Attempt, Carrier, ResultDelivery, DoNotCallList, DoNotCallEntry]


def changelist(model):
    return reverse(f"admin:outbound_{model._meta.model_name}_changelist")


def change(obj):
    return reverse(f"admin:outbound_{obj._meta.model_name}_change", args=[obj.pk])


@pytest.fixture
def shown(scene):
    """One object of each model, and the secrets that must stand nowhere."""
    never = actions.do_not_call_list_create(by=None, network=scene.network, name="Never")
    actions.do_not_call_add(by=None, to=never, patterns=["+18055550177"])
    one = delivery(scene.batch, scene.ended)
    carrier = actions.carrier_create(
        by=None, network=scene.network, kind="twilio", name="Twilio", settings={"account_sid": "AC1"},
        secrets={"auth_token": "very-secret"},
    )  # fmt: skip
    Recipient.objects.filter(pk=scene.ended.pk).update(parameters={"pin": "4711", "first_name": "Ann"})
    scene.batch.refresh_from_db()
    scene.objects = [
        scene.batch, scene.ended, Attempt.objects.get(recipient=scene.ended.pk), carrier, one, never,
        never.entries.get(),
    ]  # fmt: skip
    scene.secrets = [
        scene.batch.result_secret, scene.batch.signing_secret(), "very-secret", carrier.secrets["auth_token"], "1234", "4711",
    ]  # fmt: skip
    return scene


def test_outbound_is_registered():
    assert {model for model in admin.site._registry if model._meta.app_label == "outbound"} == set(MODELS)


@pytest.mark.parametrize(
    ("name", "seen"),
    [("limited", False), ("outsider", False), ("observer", True), ("super", True), ("staff", True)],
)
def test_who_sees_what_and_nobody_writes(shown, name, seen):
    client = sign_in(getattr(shown.people, name))
    for obj in shown.objects:
        assert client.get(change(obj)).status_code == (200 if seen else 404), obj
        assert client.post(change(obj), {"name": "x", "state": "pending"}).status_code in (
            (403,) if seen else (403, 404)
        )
        kind = obj._meta.model_name
        assert client.post(reverse(f"admin:outbound_{kind}_delete", args=[obj.pk]), {"post": "yes"}).status_code in (
            (403,) if seen else (403, 404)
        )
        assert client.get(reverse(f"admin:outbound_{kind}_add")).status_code == 403
        page = client.get(changelist(type(obj)))
        assert page.status_code == 200 and (change(obj) in page.content.decode()) == seen, obj
        assert type(obj).objects.filter(pk=obj.pk).exists()


def test_a_grant_on_the_campaign_shows_its_batches(shown):
    access_grant(by=None, obj=shown.house.campaign, to=shown.people.limited, action="view")
    client = sign_in(shown.people.limited)
    for obj in shown.objects:
        visible = isinstance(obj, Batch | Recipient | Attempt | ResultDelivery)
        assert client.get(change(obj)).status_code == (200 if visible else 404), obj


def test_no_page_and_no_list_tells_a_secret(shown):
    client = sign_in(shown.people.staff)
    for obj in shown.objects:
        for address in (change(obj), changelist(type(obj))):
            page = client.get(address).content.decode()
            assert not [secret for secret in shown.secrets if re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", page)], (
                address
            )
    assert "auth_token" in text_of(client.get(change(shown.objects[3])))
    assert "first_name" in text_of(client.get(change(shown.ended))) and "Ann" in text_of(
        client.get(change(shown.ended))
    )


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (Batch, "result_secret__startswith"), (Batch, "parameters__pin__startswith"), (Carrier, "secrets__auth_token"),
        (Recipient, "parameters__pin"), (Recipient, "batch__result_secret__startswith"),
        (Attempt, "carrier__secrets__auth_token"), (Attempt, "recipient__parameters__pin"),
    ],
)  # fmt: skip
def test_nobody_guesses_a_secret_through_a_filter(shown, model, lookup):
    answer = sign_in(shown.people.staff).get(changelist(model), {lookup: "1"})
    assert answer.status_code in (302, 400)


def test_lists_and_pages_cost_the_same_for_few_and_many(shown):
    client = sign_in(shown.people.super)
    addresses = [address for obj in shown.objects for address in (changelist(type(obj)), change(obj))]
    few = {address: queries(client, address) for address in addresses}
    for number in range(6):
        actions.carrier_create(by=None, network=shown.network, kind="simulator", name=f"Carrier {number}")
        shown.house.batch(numbers(3, area="720"), name=f"More {number}")
        actions.do_not_call_list_create(by=None, network=shown.network, name=f"List {number}")
        actions.do_not_call_add(by=shown.people.member, to=shown.objects[5], patterns=[f"+180555501{number:02d}"])
    for one in Recipient.objects.filter(batch=shown.batch):
        delivery(shown.batch, one)
    actions.calls_claim(worker="w", limit=20)
    assert {address: queries(client, address) for address in addresses} == few
    assert max(few.values()) <= 16


def test_lists_go_over_pages_without_counting_everything(shown, monkeypatch):
    monkeypatch.setattr(admin.site._registry[Recipient], "list_per_page", 4)
    client, seen, page = sign_in(shown.people.super), set(), 1
    while page < 9:
        answer = client.get(changelist(Recipient), {"p": page, "batch__id__exact": shown.batch.pk})
        rows = answer.context["cl"].result_list
        if not rows:
            break
        seen |= {one.pk for one in rows}
        page += 1
    assert seen == set(Recipient.objects.filter(batch=shown.batch).values_list("pk", flat=True)) and page == 4


def test_people_and_attempts_are_found_by_what_one_knows(shown):
    client = sign_in(shown.people.super)
    digits = shown.ended.number.removeprefix("+1")
    found = client.get(changelist(Recipient), {"q": f"+1 ({digits[:3]}) {digits[3:6]}-{digits[6:]}"})
    assert [one.pk for one in found.context["cl"].result_list] == [shown.ended.pk]
    assert not client.get(changelist(Recipient), {"q": "nobody"}).context["cl"].result_list
    attempt = shown.objects[2]
    Attempt.objects.filter(pk=attempt.pk).update(carrier_call_id="CA1")
    for term in (str(attempt.pk), "CA1"):
        rows = client.get(changelist(Attempt), {"q": term}).context["cl"].result_list
        assert [one.pk for one in rows] == [attempt.pk]
    rows = client.get(changelist(DoNotCallEntry), {"q": "805 555"}).context["cl"].result_list
    assert not rows
    rows = client.get(changelist(DoNotCallEntry), {"q": "+1 805 555 0177"}).context["cl"].result_list
    assert [one.pattern for one in rows] == ["+18055550177"]


def test_another_networks_rows_are_in_no_list(shown):
    other = NetworkFactory()
    campaign = BundleFactory(advertiser__network=other, network=other)
    PromoNumberFactory(campaign=campaign, network=other, number="+13105550142")
    carrier = actions.carrier_create(by=None, network=other, kind="simulator", name="Hidden carrier")
    batch = actions.batch_create(by=None, network=other, name="Hidden batch", ani="+13105550142", carrier=carrier)
    actions.recipients_add(by=None, batch=batch, calls=[{"destination": "+13035550199"}])
    actions.do_not_call_list_create(by=None, network=other, name="Hidden list")
    client = sign_in(shown.people.super)
    for model in MODELS:
        text = text_of(client.get(changelist(model)))
        assert "Hidden" not in text and "+13035550199" not in text and other.name not in text, model
    assert client.get(change(batch)).status_code == 404 and client.get(change(carrier)).status_code == 404
    assert ANI in text_of(client.get(changelist(Batch)))


def test_a_batchs_counters_and_a_carriers_health_stand_on_their_pages(shown):
    client, batch, carrier = sign_in(shown.people.observer), shown.batch, shown.house.carrier
    counts = {
        "pending": 4,
        "queued": 2,
        "dialing": 1,
        "connected": 0,
        "completed": 5,
        "failed": 6,
        "unknown": 7,
        "attempts": 21,
    }
    ends = {"canceled": 1, "expired": 2, "suppressed": 8}
    type(batch.state).objects.filter(pk=batch.pk).update(**counts, **ends, claimed_at="2026-03-02T10:00Z")
    text = text_of(client.get(change(batch)))
    for words in (
        "Waiting 4", "Live 3", "Completed 5", "Failed 6", "Unknown 7", "Attempts 21",
        "Ended otherwise 1 canceled, 2 expired, 8 suppressed", "Last claimed March 2, 2026",
    ):  # fmt: skip
        assert words in text, words
    assert "Left alone until - Last error - Last error at -" in text_of(client.get(change(carrier)))
    type(carrier.state).objects.filter(pk=carrier.pk).update(
        slowed=2, last_error="HTTP 500", backoff_until="2026-03-02T10:00Z", last_error_at="2026-03-03T10:00Z",
        last_success_at="2026-03-04T10:00Z",
    )  # fmt: skip
    text = text_of(client.get(change(carrier)))
    for words in (
        "Pace halved 2 times",
        "Left alone until March 2",
        "Last error HTTP 500",
        "error at March 3",
        "success at March 4",
    ):
        assert words in text, words
