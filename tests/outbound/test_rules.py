"""What a batch may hold, who may do what, when it starts and ends."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from outbound import actions
from outbound.actions.common import rows
from outbound.models import Attempt, Batch, BatchImport, BatchState, Carrier, DoNotCallList, Pace, Recipient, Window
from outbound.queries import batches as batch_queries
from outbound.secrets import HIDDEN
from portal.audit.models import AuditEvent
from tests.factories import CampaignFactory, NetworkFactory, PromoNumberFactory

from .conftest import ANI, numbers, refused
from .scenes import apply, asked_out

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"name": " "}, "name", "required"),
        ({"ani": "12"}, "ani", "invalid_phone_number"),
        ({"ani": "+13105550142"}, "ani", "foreign_ani"),
        ({"starts_at": datetime.max.replace(tzinfo=timezone.get_fixed_timezone(-60))}, "starts_at", "out_of_range"),
        ({"starts_at": datetime.max.replace(tzinfo=UTC)}, "starts_at", "out_of_range"),
        ({"expires_at": datetime.min.replace(tzinfo=timezone.get_fixed_timezone(60))}, "expires_at", "out_of_range"),
        ({"result_url": "http://[x"}, "result_url", "not_an_address"),
        ({"start_url": "https://x.example:port/"}, "start_url", "not_an_address"),
        ({"retries": {"busy": 5}}, "retries.busy", "not_an_object"),
        ({"holidays": [f"{2000 + n // 28}-02-{n % 28 + 1:02d}" for n in range(401)]}, "holidays", "too_many"),
        ({"max_attempts": 11}, "max_attempts", "out_of_range"),
        ({"max_attempts": 0}, "max_attempts", "out_of_range"),
        ({"retry_interval": 59}, "retry_interval", "out_of_range"),
        ({"retry_interval": 172_801}, "retry_interval", "out_of_range"),
        ({"priority": 11}, "priority", "out_of_range"),
        ({"calls_per_second": 0}, "calls_per_second", "out_of_range"),
        ({"lines": 0}, "lines", "out_of_range"),
        ({"hours": {}}, "hours", "never_open"),
        ({"hours": {"monday_open": 9000}}, "hours.monday_closed", "required"),
        ({"holidays": ["Christmas"]}, "holidays", "not_a_date"),
        ({"retries": {"answered": {"count": 1}}}, "retries.answered", "unknown_outcome"),
        ({"retries": {"busy": {"delay": 5}}}, "retries.busy.delay", "out_of_range"),
        ({"result_url": "ftp://x"}, "result_url", "not_an_address"),
        ({"result_url": "https://user:pin@x.example/"}, "result_url", "secret_in_address"),
        ({"result_url": "https://x.example/" + "a" * 250}, "result_url", "too_long"),
        ({"parameters": {"note": "x" * 32_769}}, "parameters", "too_long"),
        ({"result_format": "xml"}, "result_format", "unknown_choice"),
        ({"starts_at": datetime(2027, 1, 1)}, "starts_at", "not_a_moment"),
        ({"starts_at": datetime(2027, 1, 2, tzinfo=UTC), "expires_at": datetime(2027, 1, 1, tzinfo=UTC)},
         "expires_at", "expires_before_start"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_field_and_way_out(house, values, field, code):
    given = {"name": "B", "ani": ANI, "carrier": house.carrier, **values}
    error = refused(actions.batch_create, by=None, network=house.network, **given)
    assert (field, code) in [(problem[0], problem[1]) for problem in error.problems]
    assert not Batch.objects.exists()


def test_every_problem_is_named_at_once(house):
    error = refused(actions.batch_create, by=None, network=house.network, name="", ani="x", priority=99)
    assert {problem[0] for problem in error.problems} == {"name", "ani", "priority"}


@pytest.mark.parametrize(
    ("persona", "create", "start", "look"),
    [
        ("limited", 404, 404, False), ("observer", 403, 403, True), ("member", None, 403, True),
        ("manager", None, None, True), ("super", None, None, True), ("outsider", 404, 404, False),
        ("staff", None, None, True),
    ],
)  # fmt: skip
def test_who_may_view_make_and_operate(house, persona, create, start, look):
    user = getattr(house.people, persona)

    def outcome(work, **values):
        from portal.errors import Refused

        try:
            work(by=user, **values)
        except Refused as error:
            return error.status
        return None

    batch = house.batch(numbers(2), started=False)
    assert outcome(actions.batch_create, network=house.network, name="B", ani=ANI) == create
    assert outcome(actions.batch_update, batch=batch, name="C") == create
    assert outcome(actions.batch_start, batch=batch) == start
    if start is not None:
        actions.batch_start(by=None, batch=batch)
    for work in (actions.batch_pause, actions.batch_resume, actions.batch_hang_up, actions.batch_stop):
        assert outcome(work, batch=batch) == start
    assert outcome(actions.carrier_clear, carrier=house.carrier) == start
    visible = batch_queries.batches_visible(user, house.network).filter(pk=batch.pk).exists()
    assert visible is look


def test_a_grant_on_the_campaign_is_enough(house):
    from campaigns import actions as campaign_actions

    campaign_actions.access_grant(by=None, obj=house.campaign, to=house.people.limited, action="operate")
    batch = house.batch(numbers(2), started=False)
    user = house.people.limited.__class__.objects.get(pk=house.people.limited.pk)
    assert actions.batch_start(by=user, batch=batch).batch.status == "running"
    assert batch_queries.batch_of(user=user, network=house.network, pk=batch.pk) == batch
    assert refused(actions.batch_update, by=user, batch=batch, name="x").status == 403


def test_only_what_may_change_live_changes_live(house):
    batch = house.batch(numbers(3))
    actions.batch_update(by=None, batch=batch, calls_per_second=5, priority=9, max_attempts=2)
    assert refused(actions.batch_update, by=None, batch=batch, ani=ANI).code == "batch_started"
    assert AuditEvent.objects.get(event="batch.change").changes["priority"] == [5, 9]
    actions.batch_update(by=None, batch=batch, hours={"monday_open": 0, "monday_closed": 60})
    window = Window.objects.get(batch=batch)
    assert window.open_until - window.open_from <= timedelta(seconds=60), "claims keep the new hours from now on"


def test_what_would_make_every_call_fail_is_refused_at_the_start(house):
    batch = house.batch(started=False)
    assert refused(actions.batch_start, by=None, batch=batch).code == "no_recipients"
    house.add(batch, [{"destination": numbers(1)[0], "time_zone": "America/Denver"}])
    Batch.objects.filter(pk=batch.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    assert refused(actions.batch_start, by=None, batch=batch).code == "expires_before_start"
    night = house.batch(
        [{"destination": "8002255288"}], started=False, hours={"monday_open": 36000, "monday_closed": 36060}
    )
    assert refused(actions.batch_start, by=None, batch=night).code == "never_open"
    Carrier.objects.update(is_enabled=False)
    assert (
        refused(actions.batch_start, by=None, batch=house.batch(numbers(1), started=False)).code == "carrier_disabled"
    )


def test_a_start_at_the_full_hour_warns_and_is_spread(house):
    hour = (timezone.now() + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    batch = house.batch(numbers(2), started=False, starts_at=hour)
    started = actions.batch_start(by=None, batch=batch)
    assert started.batch.status == "scheduled" and "full hour" in started.warnings[0]
    assert started.alternatives == [hour + timedelta(minutes=minutes) for minutes in (15, 30, 45)]
    begins = next(
        minute for minute in range(30)
        if rows("SELECT count(*) FROM outbound_settle(%s)", [hour + timedelta(minutes=minute)])[0][0]
    )  # fmt: skip
    assert 2 <= begins <= 14
    moved = house.batch(numbers(2), started=False, starts_at=hour)
    actions.batch_update(by=None, batch=moved, starts_at=started.alternatives[0])
    moved.refresh_from_db()
    assert actions.batch_start(by=None, batch=moved).warnings == []


@pytest.mark.parametrize(("minutes", "status"), [(2, "running"), (60, "running"), (61, "scheduled")])
def test_a_start_is_not_spread_beyond_a_near_expiry(house, minutes, status):
    """Else a batch that has but ten minutes might spend all of them waiting for its start."""
    hour = (timezone.now() + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    batch = house.batch(numbers(2), starts_at=hour, expires_at=hour + timedelta(minutes=minutes))
    rows("SELECT outbound_settle(%s)", [hour + timedelta(minutes=1)])
    batch.refresh_from_db()
    assert batch.status == status


def test_an_expired_batch_ends_everybody_who_waits(house):
    batch = house.batch(numbers(5), expires_at=timezone.now() + timedelta(hours=1))
    Batch.objects.filter(pk=batch.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    actions.waiting_drain()
    actions.batches_settle()
    batch.refresh_from_db()
    assert (batch.status, BatchState.objects.get(pk=batch.pk).expired) == ("expired", 5)
    assert set(Recipient.objects.values_list("reason", flat=True)) == {"batch_expired"}


def test_after_the_portal_was_down_a_careful_batch_waits_for_a_person(house):
    careful = house.batch(numbers(2), catch_up="pause")
    other = house.batch(numbers(2), name="Other")
    Batch.objects.update(started_at=timezone.now() - timedelta(hours=5))
    Pace.objects.update(beat_at=timezone.now() - timedelta(hours=4))
    actions.beat()
    careful.refresh_from_db()
    other.refresh_from_db()
    assert (careful.status, other.status) == ("paused", "running") and "was down" in careful.pause_reason


def test_a_draft_is_deleted_and_history_is_not(house):
    draft = house.batch(numbers(3), started=False)
    actions.batch_delete(by=house.people.member, batch=draft)
    assert not Recipient.objects.exists()
    assert refused(actions.batch_delete, by=None, batch=house.batch(numbers(1))).code == "wrong_status"


def test_opting_out_binds_at_once_and_in_every_batch(house):
    first, second = house.batch(numbers(3)), house.batch(numbers(2), name="Second")
    gone = numbers(1)[0]
    of_first, of_second = (Recipient.objects.get(batch=one, number=gone) for one in (first, second))
    # One is just being taken up in the first batch and waits in the second.
    assert gone in {call.number for call in actions.calls_claim(worker="w", limit=1)}
    Recipient.objects.get(pk=of_first.pk, state="queued")
    out = {"by": house.people.manager, "reason": "pressed 9"}
    assert actions.recipient_opt_out(recipient=of_second, **out) is True
    assert actions.recipient_opt_out(recipient=of_second, **out) is False
    of_second.refresh_from_db()
    assert (of_second.state, of_second.reason) == ("suppressed", "opted_out")
    assert Attempt.objects.get(recipient=of_first).hangup_asked_at, "it is not dialed, or never tried again"
    assert gone not in {call.number for call in actions.calls_claim(worker="w", limit=9)}
    (to,) = DoNotCallList.objects.filter(network=house.network)
    assert to.collects_opt_outs and to.applies_to_all and [one.pattern for one in to.entries.all()] == [gone]
    event = AuditEvent.objects.filter(event="recipient.opt_out").first()
    assert (event.actor, event.reason, event.changes["number"][0]) == (house.people.manager, "pressed 9", gone)
    later = house.batch([gone, numbers(3)[2]], name="Later")
    assert set(Recipient.objects.filter(batch=later).values_list("number", "state")) == {
        (gone, "suppressed"), (numbers(3)[2], "pending"),
    }  # fmt: skip


def test_do_not_call_lists_read_people_and_prefixes_as_written(house):
    made = actions.do_not_call_list_create(by=house.people.member, network=house.network, name="Never")
    assert (
        actions.do_not_call_add(by=None, to=made, patterns=["(303) 555-0101", "1800*", "+1 900*", "+13035550101"]) == 3
    )
    made.refresh_from_db()
    assert sorted(made.prefix_lengths) == [5] and made.entries.count() == 3
    error = refused(actions.do_not_call_add, by=None, to=made, patterns=["nobody", "*", "+1800*"])
    assert len(error.problems) == 2
    assert actions.do_not_call_remove(by=None, to=made, patterns=["+1800*", "+1900*"]) == 2
    made.refresh_from_db()
    assert made.prefix_lengths == []
    assert refused(actions.do_not_call_add, by=house.people.observer, to=made, patterns=["+1"]).status == 403


def test_another_networks_things_cannot_be_used(house):
    other = NetworkFactory()
    foreign = CampaignFactory(advertiser__network=other, network=other)
    PromoNumberFactory(campaign=foreign, network=other, number="+13105550142")
    lists = actions.do_not_call_list_create(by=None, network=other, name="Theirs")
    carrier = actions.carrier_create(by=None, network=other, kind="simulator", name="Theirs")
    error = refused(
        actions.batch_create, by=None, network=house.network, name="B", ani="+13105550142", carrier=carrier,
        do_not_call_lists=[lists.pk],
    )  # fmt: skip
    assert {problem[1] for problem in error.problems} == {"foreign_ani", "unknown_carrier", "unknown_list"}


def test_secrets_of_a_carrier_are_neither_audited_nor_shown(house):
    made = actions.carrier_create(
        by=house.people.super, network=house.network, kind="twilio", name="Twilio",
        settings={"account_sid": "AC1"}, secrets={"auth_token": "very-secret"},
    )  # fmt: skip
    actions.carrier_update(by=None, carrier=made, secrets={"auth_token": "another-secret"}, lines=5)
    kept = Carrier.objects.get(pk=made.pk)
    assert kept.secret("auth_token") == "another-secret" and "another-secret" not in str(kept.secrets)
    told = str(list(AuditEvent.objects.values("changes", "reason", "object_label")))
    assert "secret" not in told.replace("secrets", "")
    assert refused(actions.carrier_update, by=house.people.manager, carrier=made, lines=4).status == 403
    assert refused(actions.carrier_create, by=None, network=house.network, kind="twilio", name="T2").field == "settings"


def test_a_hidden_value_that_comes_back_stands_for_what_it_hides(house):
    batch = house.batch(numbers(1), started=False, parameters={"pin": "98761", "greeting": "hello"})
    changed = {"pin": HIDDEN, "password": HIDDEN, "greeting": HIDDEN}
    actions.batch_update(by=None, batch=batch, parameters=changed)
    batch.refresh_from_db()
    assert batch.parameters == {"pin": "98761", "password": HIDDEN, "greeting": HIDDEN}


def test_no_pin_stands_in_the_audit_log(house):
    batch = house.batch(numbers(1), started=False, parameters={"pin": "98761"})
    actions.batch_update(by=None, batch=batch, parameters={"pin": "98762"})
    (made, changed) = (
        AuditEvent.objects.filter(object_type="outbound.batch").order_by("id").exclude(event="batch.add_calls")
    )
    assert "9876" not in f"{made.changes}{changed.changes}"
    assert changed.changes == {"parameters": [{"pin": HIDDEN}, {"pin": HIDDEN}]}, "that it changed is kept"


def test_stopping_a_draft_is_refused_and_leaves_its_import_alone(house):
    batch = house.batch(numbers(1), started=False)
    job = BatchImport.objects.create(batch=batch, file_name="list.csv", state="running")
    assert refused(actions.batch_stop, by=None, batch=batch).code == "wrong_status"
    job.refresh_from_db()
    assert job.cancel_asked_at is None


def test_nobody_is_redialed_in_a_batch_that_would_expire_him_at_once(house):
    batch = house.batch(numbers(1), expires_at=timezone.now() + timedelta(hours=1))
    (call,) = actions.calls_claim(worker="w", limit=1)
    apply(house, call, "lost")
    one = Recipient.objects.get()
    asked_out(one)
    actions.batches_settle()
    Batch.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    batch.refresh_from_db()
    assert batch.status == "completed"
    error = refused(actions.recipient_redial, by=None, recipient=one, reason="asked us")
    assert error.code == "batch_finished" and "new batch" in error.message


def test_a_twilio_batch_without_its_start_url_is_refused_before_it_burns_everybody(house):
    twilio = actions.carrier_create(
        by=None,
        network=house.network,
        kind="twilio",
        name="T",
        settings={"account_sid": "AC1"},
        secrets={"auth_token": "x"},
    )
    error = refused(actions.batch_start, by=None, batch=house.batch(numbers(1), started=False, carrier=twilio))
    assert (error.field, error.code) == ("start_url", "required")


def test_a_long_list_of_nonsense_is_answered_with_a_short_one(house):
    never = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    patterns = ["+18055550111", *(f"x{n}" for n in range(2000))]
    assert len(refused(actions.do_not_call_add, by=None, to=never, patterns=patterns).problems) == 100
    assert not never.entries.exists()
