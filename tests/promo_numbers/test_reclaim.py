"""Last calls, and numbers without any: a whole month with a moved clock, late workers, keeping, and the page."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.actions.last_calls import last_calls_roll_up
from promo_numbers.actions.reclaim import (
    reclaim_execute,
    reclaim_keep,
    reclaim_now,
    reclaim_propose,
    reclaim_remind,
    reclaim_run,
)
from promo_numbers.models import PromoNumber, ReclaimProposal, RollUpMark, StockNumber

from campaigns.actions import access_grant
from campaigns.models import Call
from portal.audit.models import AuditEvent
from portal.errors import Conflict, NotAllowed, NotFound
from portal.notices.models import Notice
from tests.campaigns.race import Tally, together
from tests.factories import CampaignFactory, NetworkFactory
from tests.web.helpers import sign_in, text_of

from .counting import assert_counted

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)


def at(name, *args):
    return reverse(f"numbers:{name}", args=args)


def number(campaign, description="Flyer", *, since=LONG_AGO, called=None, **values):
    made = actions.number_add(by=None, campaign=campaign, description=description, **values)
    PromoNumber.objects.filter(pk=made.pk).update(created_at=since, last_called_on=called)
    made.refresh_from_db()
    return made


def call(promo, when, network=None):
    return Call.objects.create(
        network=network or promo.network, campaign=promo.campaign, promo_number=promo.number, started_at=when,
        outcome="connected",
    )  # fmt: skip


def noon(text):
    return datetime.fromisoformat(f"{text}T12:00:00+00:00")


def states(**more):
    rows = ReclaimProposal.objects.filter(**more).order_by("promo_number__description")
    return {row.promo_number.description: row.state for row in rows.select_related("promo_number")}


# Last calls.


def test_last_calls_are_summed_up_as_they_come(scene):
    one, two = number(scene.roofing, "One"), number(scene.plumbing, "Two")
    now = noon("2026-11-20")
    RollUpMark.objects.create(name="last_calls", until=now - timedelta(minutes=5))
    call(one, now - timedelta(minutes=3))
    assert last_calls_roll_up(now) == 1
    call(two, now - timedelta(minutes=1))  # committed a moment after it began
    assert last_calls_roll_up(now + timedelta(minutes=5)) == 1
    assert last_calls_roll_up(now + timedelta(minutes=5)) == 0
    assert set(PromoNumber.objects.values_list("last_called_on", flat=True)) == {date(2026, 11, 20)}
    call(one, now - timedelta(days=3))
    last_calls_roll_up(now + timedelta(minutes=10))
    one.refresh_from_db()
    assert one.last_called_on == date(2026, 11, 20), "it never goes back"


def test_a_worker_that_was_away_catches_up(scene):
    one = number(scene.roofing)
    call(one, noon("2026-11-03"))
    RollUpMark.objects.create(name="last_calls", until=noon("2026-11-01"))
    assert last_calls_roll_up(noon("2026-11-20")) == 1
    one.refresh_from_db()
    assert (one.last_called_on, RollUpMark.objects.get().until) == (date(2026, 11, 3), noon("2026-11-20"))


def test_a_call_counts_for_the_network_and_the_number_in_use_alone(scene):
    one = number(scene.roofing)
    other = CampaignFactory(advertiser__network=NetworkFactory())
    call(one, noon("2026-11-20"), network=other.network)
    actions.numbers_release(by=None, numbers=[one])
    call(one, noon("2026-11-20"))
    assert last_calls_roll_up(noon("2026-11-21")) == 0


def test_calls_are_read_through_the_index_of_their_time(scene):
    from promo_numbers.actions.last_calls import _ROLL_UP

    # A year of calls: on an empty table every index costs the same. On one of so few pages reading all of it costs least.
    one, last = number(scene.roofing), noon("2026-11-21")
    Call.objects.bulk_create(
        Call(network=one.network, campaign=one.campaign, promo_number=one.number, outcome="connected", started_at=when)
        for when in (last - timedelta(hours=3 * step) for step in range(3000))
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE campaigns_call")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + _ROLL_UP, [noon("2026-11-20"), noon("2026-11-21")])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "call_by_time" in plan, plan


@pytest.mark.django_db(transaction=True)
def test_sixteen_roll_ups_at_once(scene):
    one = number(scene.roofing)
    call(one, noon("2026-11-19"))
    RollUpMark.objects.create(name="last_calls", until=noon("2026-11-15"))
    tally = Tally()
    together(lambda _number: tally.add(str(last_calls_roll_up(noon("2026-11-20")))))
    assert tally.counts == {"0": 15, "1": 1}


# A month.


def test_a_whole_month(scene):
    """Every six hours of November, with what people and callers do on the way."""
    quiet, called, kept = (number(scene.roofing, name) for name in ("Quiet", "Called", "Kept"))
    number(scene.roofing, "Busy", called=date(2026, 11, 1))
    number(scene.roofing, "Young", since=noon("2026-10-20"))
    number(scene.roofing, "Ours", number="+13035550177")
    actions.dynamic_numbers_add(by=None, pool=scene.pool, count=1, wanted=actions.numbers.Wanted())
    PromoNumber.objects.filter(ring_pool=scene.pool).update(created_at=LONG_AGO)
    moment, seen = datetime(2026, 11, 1, tzinfo=UTC), []
    while moment < datetime(2026, 12, 1, tzinfo=UTC):
        done = reclaim_run(moment)
        if any(done.values()):
            seen.append((moment.day, done))
        if moment == datetime(2026, 11, 22, tzinfo=UTC):
            call(called, moment)
        if moment == datetime(2026, 11, 24, tzinfo=UTC):
            reclaim_keep(by=scene.people.member, proposal=kept.reclaims.get(), note="Spring campaign")
        moment += timedelta(hours=6)
    assert seen == [
        (20, {"proposed": 3, "reminded": 0, "reclaimed": 0}), (26, {"proposed": 0, "reminded": 1, "reclaimed": 0}),
        (27, {"proposed": 0, "reminded": 0, "reclaimed": 1}),
    ]  # fmt: skip
    assert states() == {"Called": "called", "Kept": "kept", "Quiet": "reclaimed"}
    quiet.refresh_from_db()
    assert (quiet.state, StockNumber.objects.get(number=quiet.number).state) == ("released", "resting")
    assert PromoNumber.objects.filter(state="active").count() == 6
    event = AuditEvent.objects.get(event="number.release")
    assert event.reason == "No call for 45 days" and event.actor is None
    titles = Notice.objects.filter(user=scene.people.manager).order_by("id").values_list("title", flat=True)
    assert list(titles) == [
        "3 promo numbers without calls will be reclaimed on November 27",
        "Reminder: 1 promo number will be reclaimed on November 27",
        "1 promo number without calls reclaimed",
    ]
    told = set(Notice.objects.values_list("user__email", flat=True))
    assert told == {"manager@acme.example", "super@acme.example"}
    assert_counted(scene.network)
    # December: what was kept in November rests from proposals, what is quiet by then is new.
    assert reclaim_run(noon("2026-12-20"))["proposed"] == 2
    assert set(states(proposed_on=date(2026, 12, 20))) == {"Busy", "Young"}
    assert reclaim_run(noon("2027-01-21"))["proposed"] == 2, "kept is not for ever"


def test_each_step_is_safe_to_repeat(scene):
    number(scene.roofing)
    for day, step, first in ((20, reclaim_propose, 1), (26, reclaim_remind, 1), (27, reclaim_execute, 1)):
        today = date(2026, 11, day)
        assert [step(today), step(today), step(today + timedelta(days=0))] == [first, 0, 0]
    assert Notice.objects.filter(user=scene.people.manager).count() == 3


@pytest.mark.parametrize("day", [1, 10, 19])
def test_nothing_is_proposed_before_the_20th(scene, day):
    number(scene.roofing)
    assert reclaim_run(noon(f"2026-11-{day:02}")) == {"proposed": 0, "reminded": 0, "reclaimed": 0}


def test_late_workers_leave_everybody_his_days(scene):
    number(scene.roofing)
    assert reclaim_run(noon("2026-11-25"))["proposed"] == 1
    proposal = ReclaimProposal.objects.get()
    assert proposal.reclaim_on == date(2026, 12, 2), "seven days, as for everybody"
    assert reclaim_run(noon("2026-11-30")) == {"proposed": 0, "reminded": 0, "reclaimed": 0}
    # Nobody was there on the 1st and the 2nd: the reminder comes late, and the reclaim a day after it.
    assert reclaim_run(noon("2026-12-03")) == {"proposed": 0, "reminded": 1, "reclaimed": 0}
    assert reclaim_run(noon("2026-12-03")) == {"proposed": 0, "reminded": 0, "reclaimed": 0}
    assert reclaim_run(noon("2026-12-09")) == {"proposed": 0, "reminded": 0, "reclaimed": 1}


def test_the_20th_decides_whatever_day_it_is_looked_at(scene):
    number(scene.roofing, "Quiet on the 20th", called=date(2026, 10, 5))
    number(scene.roofing, "Quiet since the 24th only", called=date(2026, 10, 8))
    reclaim_run(noon("2026-11-25"))
    assert set(states()) == {"Quiet on the 20th"}


def test_a_call_in_the_last_minute_saves_the_number(scene):
    one = number(scene.roofing)
    reclaim_run(noon("2026-11-20"))
    reclaim_run(noon("2026-11-26"))
    call(one, noon("2026-11-27") - timedelta(minutes=1))
    assert reclaim_run(noon("2026-11-27"))["reclaimed"] == 0
    assert states() == {"Flyer": "called"}


def test_a_number_released_meanwhile_is_settled(scene):
    one = number(scene.roofing)
    reclaim_run(noon("2026-11-20"))
    actions.numbers_release(by=None, numbers=[one])
    assert reclaim_run(noon("2026-11-26"))["reminded"] == 0
    assert ReclaimProposal.objects.get().note == "Released before it was reclaimed."


def test_it_can_be_switched_off_and_its_days_set(scene, settings):
    number(scene.roofing)
    settings.PROMO_NUMBER_RECLAIM = False
    assert reclaim_run(noon("2026-11-20"))["proposed"] == 0
    settings.PROMO_NUMBER_RECLAIM = True
    settings.PROMO_NUMBER_RECLAIM_NOTICE_DAY, settings.PROMO_NUMBER_RECLAIM_DAY = 5, 10
    settings.PROMO_NUMBER_RECLAIM_REMINDER_DAY = 8
    assert reclaim_run(noon("2026-11-05"))["proposed"] == 1
    assert ReclaimProposal.objects.get().reclaim_on == date(2026, 11, 10)
    assert reclaim_run(noon("2026-11-08"))["reminded"] == 1


@pytest.mark.django_db(transaction=True)
def test_kept_or_reclaimed_in_the_same_moment_never_both(scene):
    scene.limits(allowed=40)
    rows = [number(scene.roofing, f"N{index}") for index in range(16)]
    reclaim_propose(date(2026, 11, 20))
    reclaim_remind(date(2026, 11, 26))
    kept, tally = set(), Tally()

    def work(index):
        if index % 4 == 0:
            tally.add(f"took {reclaim_execute(date(2026, 11, 27)) > 0}")
            return
        proposal = rows[index].reclaims.get()
        try:
            reclaim_keep(by=None, proposal=proposal)
            kept.add(rows[index].pk)
        except Conflict:
            tally.add("too late")

    together(work)
    active = set(PromoNumber.objects.filter(state="active").values_list("pk", flat=True))
    assert active == kept
    assert ReclaimProposal.objects.filter(state="kept").count() == len(kept)
    assert ReclaimProposal.objects.filter(state="reclaimed").count() == 16 - len(kept)
    assert_counted(scene.network)


# By hand.


@pytest.fixture
def proposal(scene):
    number(scene.roofing)
    reclaim_propose(date(2026, 11, 20))
    return ReclaimProposal.objects.get()


@pytest.mark.parametrize(
    ("name", "error"),
    [("limited", NotFound), ("outsider", NotFound), ("observer", NotAllowed), ("member", None), ("manager", None),
     ("super", None), ("staff", None)],
)  # fmt: skip
@pytest.mark.parametrize("write", [reclaim_keep, reclaim_now])
def test_who_decides(scene, proposal, name, error, write):
    person = getattr(scene.people, name)
    if error is None:
        assert write(by=person, proposal=proposal, note="x").decided_by == person
        with pytest.raises(Conflict):
            write(by=person, proposal=proposal)
    else:
        with pytest.raises(error):
            write(by=person, proposal=proposal)
        proposal.refresh_from_db()
        assert proposal.state == "proposed"
        assert PromoNumber.objects.get().state == "active"


def test_a_grant_holder_decides_on_his_campaign(scene, proposal):
    access_grant(by=None, obj=scene.roofing, to=scene.people.limited, action="manage_numbers")
    client = sign_in(scene.people.limited)
    page = client.get(at("reclaim"))
    assert [row.pk for row in page.context["page"]] == [proposal.pk]
    assert client.post(at("reclaim-keep", proposal.pk), {"note": "Needed"}).status_code == 302
    proposal.refresh_from_db()
    assert (proposal.state, proposal.note) == ("kept", "Needed")


def test_the_page_lists_keeps_and_releases(scene):
    for name in ("One", "Two", "Three", "Four"):
        number(scene.roofing, name)
    reclaim_propose(date(2026, 11, 20))
    rows = {row.promo_number.description: row for row in ReclaimProposal.objects.select_related("promo_number")}
    client = sign_in(scene.people.member)
    page = text_of(client.get(at("reclaim")))
    assert "Nov 27, 2026" in page and "never" in page and "notice on day 20" in page
    assert client.get(at("reclaim-release", rows["One"].pk)).status_code == 405
    assert "is released and rests" in text_of(
        client.post(at("reclaim-release", rows["One"].pk), {"note": "x"}, follow=True)
    )
    assert "settled already" in text_of(client.post(at("reclaim-keep", rows["One"].pk), follow=True))
    assert "at most 250" in text_of(client.post(at("reclaim-keep", rows["Two"].pk), {"note": "x" * 251}, follow=True))
    ticked = {"proposal": [rows["Two"].pk, rows["Three"].pk, rows["One"].pk, "x"]}
    assert "2 kept" in text_of(client.post(at("reclaim-keep-chosen"), ticked, follow=True))
    assert "Tick the numbers first" in text_of(client.post(at("reclaim-keep-chosen"), follow=True))
    assert states() == {"One": "reclaimed", "Two": "kept", "Three": "kept", "Four": "proposed"}
    kept = client.get(at("reclaim") + "?state=kept")
    assert {row.promo_number.description for row in kept.context["page"]} == {"Two", "Three"}
    observer = sign_in(scene.people.observer)
    assert "Release now" not in text_of(observer.get(at("reclaim")))
    assert observer.post(at("reclaim-release", rows["Four"].pk)).status_code == 403
    assert observer.post(at("reclaim-keep-chosen"), {"proposal": rows["Four"].pk}).status_code == 403
    assert sign_in(scene.people.outsider).post(at("reclaim-keep", rows["Four"].pk)).status_code == 404
    assert states()["Four"] == "proposed"
    reclaim_keep(by=None, proposal=rows["Four"])
    assert "No number waits to be reclaimed" in text_of(client.get(at("reclaim")))


def test_the_page_costs_the_same_whatever_its_length(scene):
    scene.limits(allowed=100)
    client, counts = sign_in(scene.people.member), []
    for wanted in (2, 40):
        while PromoNumber.objects.count() < wanted:
            number((scene.roofing, scene.plumbing)[wanted % 3 % 2])
        reclaim_propose(date(2026, 11, 20))
        client.get(at("reclaim"))
        ContentType.objects.clear_cache()
        with CaptureQueriesContext(connection) as said:
            assert len(client.get(at("reclaim")).context["page"].rows) == wanted
        counts.append(len(said))
    assert counts[0] == counts[1]
