"""Secrets in the database: sealed in the column, readable for who signs, and sealed by the migration where they were not."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook

from outbound import actions
from outbound.models import Batch, Carrier, ResultDelivery
from outbound.models.batch import new_secret
from portal.sealing import seal, unseal

from .conftest import numbers

migration = import_module("outbound.migrations.0003_seal_secrets")


def ended(house, batch):
    """One call of the batch that has ended, so that a result is due."""
    (call,) = actions.calls_claim(worker="w", limit=1)
    event = {"attempt": str(call.attempt), "kind": "ended", "key": "e", "source": "callback", "outcome": "busy"}
    actions.events_apply(carrier=house.carrier.pk, events=[event])


def stored(table, column):
    """What a copy of the database shows."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}::text FROM {table}")
        return " ".join(value for (value,) in cursor.fetchall())


@pytest.mark.django_db
def test_the_column_never_holds_the_plain_secret(house):
    batches = [house.batch(numbers(1, area=area), name=area) for area in ("303", "720")]
    column = stored("outbound_batch", "result_secret")
    for batch in batches:
        assert batch.signing_secret().startswith("whsec_")
        assert batch.signing_secret() not in column and "whsec_" not in column
    assert batches[0].signing_secret() != batches[1].signing_secret()


@pytest.mark.django_db
def test_the_migration_seals_what_was_readable_and_leaves_the_rest(house):
    plain, sealed = house.batch(numbers(1)), house.batch(numbers(1, area="720"), name="Newer")
    secret, already = new_secret(), sealed.result_secret
    Batch.objects.filter(pk=plain.pk).update(result_secret=secret)
    keys = {"auth_token": "very-secret", "callback_secret": seal("kept")}
    Carrier.objects.filter(pk=house.carrier.pk).update(secrets=keys)
    for _ in range(2):
        migration.seal_existing(apps, None)
        plain.refresh_from_db()
        sealed.refresh_from_db()
        assert plain.signing_secret() == secret and secret not in stored("outbound_batch", "result_secret")
        assert sealed.result_secret == already
        carrier = Carrier.objects.get(pk=house.carrier.pk)
        assert (carrier.secret("auth_token"), carrier.secret("callback_secret")) == ("very-secret", "kept")
        assert "very-secret" not in stored("outbound_carrier", "secrets")
    migration.unseal_secrets(apps, None)
    plain.refresh_from_db()
    assert plain.result_secret == secret
    assert max(len(value) for value in Batch.objects.values_list("result_secret", flat=True)) <= 80


@pytest.mark.django_db(transaction=True)
def test_results_verify_with_a_secret_that_the_migration_sealed(house, receiver):
    batch = house.batch(numbers(1), result_url=receiver.url)
    secret = new_secret()
    Batch.objects.filter(pk=batch.pk).update(result_secret=secret)
    migration.seal_existing(apps, None)
    ended(house, batch)
    assert actions.deliveries_send() == 1
    ((_, headers, body),) = receiver.received
    assert Webhook(secret).verify(body, headers)["type"] == "call.ended"


@pytest.mark.django_db(transaction=True)
def test_a_secret_of_another_key_holds_up_its_own_batch_only(house, receiver, settings):
    lost, fine = [house.batch(numbers(1, area=area), name=area, result_url=receiver.url) for area in ("303", "720")]
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another key " * 5
    Batch.objects.filter(pk=lost.pk).update(result_secret=seal("whsec_gone"))
    settings.SECRET_KEY = key
    for batch in (lost, fine):
        ended(house, batch)
    ResultDelivery.objects.update(next_at=timezone.now())
    assert actions.deliveries_send() == 2
    told = {one.batch_id: one for one in ResultDelivery.objects.all()}
    assert told[fine.pk].state == "delivered" and len(receiver.received) == 1
    assert told[lost.pk].state == "pending" and told[lost.pk].last_error.startswith("unreadable_secret")
    assert unseal(Batch.objects.get(pk=fine.pk).result_secret) == fine.signing_secret()
