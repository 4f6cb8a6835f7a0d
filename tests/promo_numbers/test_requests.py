"""Limit requests: who may ask and decide, what each decision does, who is told, and that one decides once."""

from datetime import date, timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions.requests import limit_request_create, limit_request_decide, limit_request_withdraw
from promo_numbers.models import CampaignNumbers, Contract, LimitRequest, NetworkNumbers
from promo_numbers.queries.requests import requests_visible

from campaigns.actions import access_grant
from portal.accounts.models import Membership, User
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from portal.notices.models import Notice
from tests.campaigns.race import Tally, together
from tests.factories import CampaignFactory, PromoNumberFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm(scene):
    """The network's CSM; there is other staff too."""
    user = UserFactory(email="csm@headroom.example", is_platform_staff=True)
    today = timezone.now().date()
    Contract.objects.create(
        network=scene.network, csm=user, starts_on=today, ends_on=today + timedelta(days=364), numbers=1200,
        overage_price=2,
    )  # fmt: skip
    scene.limits(total=50, dynamic=5)
    return user


def ask(scene, by=None, ceiling="network_total", more=10, reason="Spring", **values):
    return limit_request_create(
        by=by or scene.people.member, network=scene.network, ceiling=ceiling, more=more, reason=reason, **values
    )


def told(user):
    return list(Notice.objects.filter(user=user).order_by("id").values_list("kind", flat=True))


def total_limit(scene):
    return NetworkNumbers.objects.get(pk=scene.network.pk).total_limit


# Asking ---------------------------------------------------------------------------------------------------------------


def test_asking_keeps_the_figures_and_tells_the_csm_alone(scene, csm, django_capture_on_commit_callbacks):
    PromoNumberFactory.create_batch(3, campaign=scene.roofing)
    request = ask(scene, ceiling="network_dynamic", visitors_per_hour=120, lifetime_seconds=1800)
    assert (request.limit_then, request.used_then, request.state) == (5, 0, "open")
    assert told(csm) == ["limit_request.asked"]
    assert told(scene.people.staff) == told(scene.people.super) == told(scene.people.member) == []
    notice = Notice.objects.get(user=csm)
    assert notice.by_mail and notice.link == f"/numbers/requests/{request.pk}/"
    assert "120 visitors an hour" in notice.body
    event = AuditEvent.objects.get(event="limit_request.create")
    assert (event.actor, event.reason, event.network) == (scene.people.member, "Spring", scene.network)


def test_without_a_csm_all_staff_are_told_and_of_a_campaigns_the_supers(scene):
    scene.limits(total=50)
    ask(scene)
    assert told(scene.people.staff) == ["limit_request.asked"]
    ask(scene, ceiling="campaign", campaign=scene.roofing)
    assert told(scene.people.super) == ["limit_request.asked"]
    assert told(scene.people.manager) == []


ASKERS = [
    ("limited", NotAllowed), ("observer", NotAllowed), ("member", None), ("manager", None), ("super", None),
    ("staff", None), ("outsider", NotFound),
]  # fmt: skip


@pytest.mark.parametrize(("persona", "refusal"), ASKERS, ids=[name for name, _ in ASKERS])
@pytest.mark.parametrize("ceiling", ["network_total", "network_dynamic", "campaign"])
def test_who_may_ask(scene, csm, persona, refusal, ceiling):
    values = {"campaign": scene.roofing} if ceiling == "campaign" else {}
    by = getattr(scene.people, persona)
    if refusal is None:
        assert ask(scene, by, ceiling, **values).asked_by == by
    else:
        # To somebody without a grant the campaign itself does not exist.
        expected = NotFound if persona == "limited" and ceiling == "campaign" else refusal
        with pytest.raises(expected):
            ask(scene, by, ceiling, **values)
        assert not LimitRequest.objects.exists() and not Notice.objects.exists()


@pytest.mark.parametrize("ceiling", ["network_total", "campaign"])
def test_a_grant_holder_may_ask_and_sees_his_own_request_alone(scene, csm, ceiling):
    user = scene.people.limited
    access_grant(by=None, obj=scene.roofing, to=user, action="manage_numbers")
    others = ask(scene)
    own = ask(scene, user, ceiling, **({"campaign": scene.roofing} if ceiling == "campaign" else {}))
    assert list(requests_visible(user)) == [own]
    assert others in requests_visible(scene.people.manager) and others not in requests_visible(scene.people.observer)
    with pytest.raises(NotFound):
        ask(scene, user, "campaign", campaign=scene.plumbing)
    Membership.objects.filter(user=user).delete()
    assert not requests_visible(User.objects.get(pk=user.pk)).exists(), "who left the network sees nothing of it"


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"ceiling": "sky"}, "ceiling", "unknown_ceiling"),
        ({"more": 0}, "more", "out_of_range"),
        ({"more": True}, "more", "out_of_range"),
        ({"more": 10**8}, "more", "out_of_range"),
        ({"reason": "  "}, "reason", "required"),
        ({"reason": "x" * 4001}, "reason", "required"),
        ({"ceiling": "campaign"}, "campaign", "required"),
        ({"visitors_per_hour": 10, "lifetime_seconds": 600}, "visitors_per_hour", "not_dynamic"),
        ({"ceiling": "network_dynamic", "visitors_per_hour": 10}, "lifetime_seconds", "out_of_range"),
        ({"ceiling": "network_dynamic", "lifetime_seconds": 600}, "visitors_per_hour", "out_of_range"),
        ({"ceiling": "network_dynamic", "visitors_per_hour": 10, "lifetime_seconds": 59}, "lifetime_seconds",
         "out_of_range"),
        ({"ceiling": "network_dynamic", "visitors_per_hour": 10**7, "lifetime_seconds": 86400}, "visitors_per_hour",
         "out_of_range"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(scene, csm, values, field, code):
    with pytest.raises(Invalid) as refused:
        ask(scene, **values)
    assert (field, code) in [problem[:2] for problem in refused.value.problems]
    assert not LimitRequest.objects.exists()


def test_a_campaign_with_a_network_ceiling_or_of_another_network(scene, csm):
    with pytest.raises(Invalid):
        ask(scene, campaign=scene.roofing)
    with pytest.raises(NotFound):
        ask(scene, ceiling="campaign", campaign=CampaignFactory())


def test_one_open_request_each(scene, csm):
    first = ask(scene)
    with pytest.raises(Conflict) as refused:
        ask(scene)
    assert (refused.value.code, refused.value.details) == ("already_asked", {"limit_request": first.pk})
    ask(scene, by=scene.people.manager)
    ask(scene, ceiling="network_dynamic")
    limit_request_withdraw(by=scene.people.member, request=first)
    ask(scene)


def test_there_must_be_a_limit_to_raise(scene):
    with pytest.raises(Conflict) as refused:
        ask(scene)
    assert refused.value.code == "no_limit"


# Deciding -------------------------------------------------------------------------------------------------------------


def test_approving_raises_the_limit_and_keeps_the_sum(scene, csm):
    request = ask(scene)
    done = limit_request_decide(by=csm, request=request, decision="approve", note="Enjoy")
    assert (done.state, done.granted, done.decided_by, done.note) == ("approved", 10, csm, "Enjoy")
    assert total_limit(scene) == 60
    assert done.working["recommended_limit"] == 60 and done.working["figures"]["carried_by_contract"] == 100
    assert done.working["steps"][0]["what"] == "In use now"
    assert told(scene.people.member) == ["limit_request.decided"]
    assert told(csm) == ["limit_request.asked"], "nobody is told of what he did himself"
    notice = Notice.objects.get(user=scene.people.member)
    assert "the limit was raised from 50 to 60" in notice.body and "Enjoy" in notice.body
    events = AuditEvent.objects.filter(event__in=["limit_request.approve", "number_limit.network"])
    assert {event.event: event.changes for event in events} == {
        "limit_request.approve": {"state": ["Waiting for a decision", "Approved"], "granted": [None, 10]},
        "number_limit.network": {"total_limit": [50, 60]},
    }


def test_the_grant_is_added_to_the_limit_of_now_not_of_then(scene, csm):
    request = ask(scene)
    actions.network_limits_set(by=csm, network=scene.network, total=200)
    limit_request_decide(by=csm, request=request, decision="approve")
    assert total_limit(scene) == 210


def test_changing_and_declining(scene, csm):
    first = limit_request_decide(by=csm, request=ask(scene), decision="change", granted=4, note="What is left")
    assert (first.state, first.granted, total_limit(scene)) == ("changed", 4, 54)
    same = limit_request_decide(by=csm, request=ask(scene), decision="change", granted=10)
    assert (same.state, total_limit(scene)) == ("approved", 64)
    with pytest.raises(Invalid) as refused:
        limit_request_decide(by=csm, request=(third := ask(scene)), decision="decline")
    assert refused.value.field == "note"
    third = limit_request_decide(by=csm, request=third, decision="decline", note="Release what rests first")
    assert (third.state, third.granted, total_limit(scene)) == ("declined", None, 64)
    assert "Release what rests first" in Notice.objects.filter(user=scene.people.member).first().body


@pytest.mark.parametrize(("granted", "code"), [(None, "out_of_range"), (0, "out_of_range"), (True, "out_of_range")])
def test_a_changed_figure_must_be_one(scene, csm, granted, code):
    request = ask(scene)
    with pytest.raises(Invalid) as refused:
        limit_request_decide(by=csm, request=request, decision="change", granted=granted)
    assert refused.value.code == code
    with pytest.raises(Invalid):
        limit_request_decide(by=csm, request=request, decision="maybe")
    request.refresh_from_db()
    assert request.state == "open"


def test_a_limit_gone_meanwhile_is_no_obstacle(scene, csm):
    request = ask(scene)
    actions.network_limits_set(by=csm, network=scene.network, total=None)
    done = limit_request_decide(by=csm, request=request, decision="approve")
    assert (done.state, done.working, total_limit(scene)) == ("approved", {}, None)


def test_a_dynamic_grant_leaves_the_total_alone(scene, csm):
    limit_request_decide(by=csm, request=ask(scene, ceiling="network_dynamic"), decision="approve")
    row = NetworkNumbers.objects.get(pk=scene.network.pk)
    assert (row.total_limit, row.dynamic_limit) == (50, 15)


DECIDERS = {
    "network": {"limited": NotFound, "observer": NotFound, "member": NotAllowed, "manager": NotAllowed,
                "super": NotAllowed, "staff": None, "outsider": NotFound},
    "campaign": {"limited": NotFound, "observer": NotFound, "member": NotAllowed, "manager": NotAllowed, "super": None,
                 "staff": None, "outsider": NotFound},
}  # fmt: skip


@pytest.mark.parametrize("kind", DECIDERS)
@pytest.mark.parametrize("persona", DECIDERS["network"])
def test_who_may_decide(scene, csm, kind, persona):
    values = {"ceiling": "campaign", "campaign": scene.roofing} if kind == "campaign" else {}
    request, refusal = ask(scene, **values), DECIDERS[kind][persona]
    for decision in ("decline", "change", "approve"):

        def decide(decision=decision):
            return limit_request_decide(
                by=getattr(scene.people, persona), request=request, decision=decision, granted=3, note="Because"
            )  # fmt: skip

        if refusal is None:
            decide()
            return
        with pytest.raises(refusal):
            decide()
    request.refresh_from_db()
    assert request.state == "open" and total_limit(scene) == 50
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 10


def test_a_super_decides_a_campaigns_by_the_rules_of_the_pencil(scene, csm):
    """The same code as the pencil: a raise that is large against the contract needs his confirmation; the CSM is told."""
    Contract.objects.update(numbers=120, ends_on=date.today() + timedelta(days=364))
    request = ask(scene, ceiling="campaign", campaign=scene.roofing, more=40)
    with pytest.raises(Invalid) as refused:
        limit_request_decide(by=scene.people.super, request=request, decision="approve")
    assert refused.value.code == "large_raise"
    request.refresh_from_db()
    assert request.state == "open"
    limit_request_decide(by=scene.people.super, request=request, decision="approve", confirmed=True)
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 50
    assert told(csm) == ["limit_request.asked", "number_limit.raised", "limit_request.decided"]


def test_a_closed_request_stays_as_it_is(scene, csm):
    request = ask(scene)
    limit_request_decide(by=csm, request=request, decision="approve")
    for again in (
        lambda: limit_request_decide(by=csm, request=request, decision="approve"),
        lambda: limit_request_withdraw(by=scene.people.member, request=request),
    ):
        with pytest.raises(Conflict) as refused:
            again()
        assert refused.value.code == "already_decided"
    assert total_limit(scene) == 60


def test_only_the_asker_withdraws(scene, csm):
    request = ask(scene)
    for persona, refusal in (("observer", NotFound), ("manager", NotAllowed), ("staff", NotAllowed)):
        with pytest.raises(refusal):
            limit_request_withdraw(by=getattr(scene.people, persona), request=request)
    done = limit_request_withdraw(by=scene.people.member, request=request)
    assert done.state == "withdrawn"
    assert told(csm) == ["limit_request.asked", "limit_request.withdrawn"]


# Races ----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_several_decide(scene, csm, monkeypatch):
    """The race is real: with the row locks off, the same deciders raise one limit several times over."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self)
    request, tally = ask(scene), Tally()

    def work(number):
        try:
            limit_request_decide(by=csm, request=request, decision="approve")
            tally.add("decided")
        except Conflict:
            tally.add("refused")

    together(work)
    assert tally.counts["decided"] > 1, "the race did not show: the next test would prove nothing"


@pytest.mark.django_db(transaction=True)
def test_sixteen_deciders_decide_once(scene, csm):
    request, tally = ask(scene), Tally()

    def work(number):
        try:
            if number == 0:
                limit_request_withdraw(by=scene.people.member, request=request)
            else:
                limit_request_decide(
                    by=csm, request=request, decision=("approve", "change", "decline")[number % 3], granted=number,
                    note="Because",
                )  # fmt: skip
            tally.add("decided")
        except Conflict as error:
            tally.add(error.code)

    together(work)
    assert tally.counts == {"decided": 1, "already_decided": 15}
    request.refresh_from_db()
    assert total_limit(scene) == 50 + (request.granted or 0)
    assert AuditEvent.objects.filter(event__startswith="limit_request.").count() == 2


@pytest.mark.django_db(transaction=True)
def test_grants_to_one_ceiling_add_up_while_numbers_are_added(scene, csm):
    scene.limits(allowed=1000, total=20)
    requests = [
        ask(scene, by=UserFactory(is_platform_staff=True), more=number + 1) for number in range(8)
    ]  # fmt: skip

    def work(number):
        if number < 8:
            limit_request_decide(by=csm, request=requests[number], decision="approve")
            return
        for _ in range(6):
            try:
                actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
            except Refused as error:
                assert error.code == "promo_number_limit_reached"

    together(work)
    row = NetworkNumbers.objects.get(pk=scene.network.pk)
    assert row.total_limit == 20 + sum(range(1, 9))
    assert 20 <= row.total_used <= 48


@pytest.mark.django_db(transaction=True)
def test_one_open_request_each_also_when_all_ask_at_once(scene, csm):
    tally = Tally()

    def work(number):
        try:
            ask(scene)
            tally.add("asked")
        except Conflict as error:
            tally.add(error.code)

    together(work)
    assert tally.counts == {"asked": 1, "already_asked": 15}
    assert Notice.objects.filter(kind="limit_request.asked").count() == 1
