"""The pages of requests, contracts and use: what each persona sees and may do, prefilled figures, and their cost."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from promo_numbers.actions.days import days_roll_up
from promo_numbers.actions.requests import limit_request_create
from promo_numbers.models import CampaignNumbers, Contract, LimitRequest, NetworkNumbers

from campaigns.actions import access_grant
from portal.notices.models import Notice
from tests.factories import NetworkFactory, PromoNumberFactory, UserFactory
from tests.web.helpers import sign_in, text_of

pytestmark = pytest.mark.django_db

PERSONAS = ["limited", "observer", "member", "manager", "super", "staff", "outsider"]


@pytest.fixture
def as_(scene):
    """`as_(persona)`: his browser, looking at the scene's network."""
    scene.limits(total=50, dynamic=5)

    def enter(persona):
        client = sign_in(getattr(scene.people, persona) if isinstance(persona, str) else persona)
        client.post(reverse("accounts:switch-network"), {"network": scene.network.pk})
        return client

    return enter


@pytest.fixture
def contract(scene):
    today = timezone.now().date()
    return Contract.objects.create(
        network=scene.network, starts_on=today, ends_on=today + timedelta(days=364), numbers=1200, overage_price="2.50"
    )


def ask(scene, by="member", **values):
    values = {"ceiling": "network_total", "more": 10, "reason": "Spring flyers", **values}
    return limit_request_create(by=getattr(scene.people, by), network=scene.network, **values)


NEW, LIST, CSM = "/numbers/requests/new/", "/numbers/requests/", "/numbers/csm/"
STATUS = {
    # Of his own network the outsider is a Super.
    NEW: [403, 403, 200, 200, 200, 200, 200],
    LIST: [200, 200, 200, 200, 200, 200, 200],
    "/numbers/requests/{request}/": [404, 404, 200, 200, 200, 200, 404],
    "/numbers/csm/{network}/": [403, 403, 403, 200, 200, 200, 404],
    "/numbers/csm/{network}/contract/": [403, 403, 403, 403, 403, 200, 404],
}


@pytest.mark.parametrize(("address", "statuses"), list(STATUS.items()), ids=list(STATUS))
@pytest.mark.parametrize("persona", PERSONAS)
def test_who_sees_what(scene, as_, contract, address, statuses, persona):
    request = ask(scene)
    answer = as_(persona).get(address.format(request=request.pk, network=scene.network.pk))
    assert answer.status_code == statuses[PERSONAS.index(persona)]


def test_another_networks_campaign_cannot_be_asked_for(scene, as_):
    assert as_("outsider").get(f"{NEW}?campaign={scene.roofing.pk}").status_code == 404


def test_the_form_shows_the_figures_of_the_refusal(scene, as_):
    PromoNumberFactory.create_batch(10, campaign=scene.roofing)
    page = as_("member").get(f"{NEW}?ceiling=campaign&campaign={scene.roofing.pk}&more=4")
    said = text_of(page)
    assert "10 of 10 used" in said and "10 of 50 used" in said and "0 of 5 used" in said
    assert "0 free. A Super User of the network raises it" in said
    assert 'name="more" value="4"' in page.content.decode()
    assert "You may raise this limit yourself" not in said
    assert "You may raise this limit yourself" in text_of(
        as_("super").get(f"{NEW}?ceiling=campaign&campaign={scene.roofing.pk}")
    )


def test_asking_and_following(scene, as_):
    client = as_("member")
    address = f"{NEW}?ceiling=network_dynamic"
    answer = client.post(
        address, {"more": "12", "reason": "Summer", "visitors_per_hour": "20", "lifetime_minutes": "30"}
    )
    request = LimitRequest.objects.get()
    assert answer["Location"] == f"/numbers/requests/{request.pk}/"
    assert (request.visitors_per_hour, request.lifetime_seconds) == (20, 1800)
    said = text_of(client.get(answer["Location"]))
    assert "Waiting for a decision" in said and "Summer" in said and "Withdraw" in said
    assert "Approve" not in said and "Recommended" not in said
    assert "You have asked for this already" in text_of(client.get(address))
    client.post(f"/numbers/requests/{request.pk}/withdraw/")
    assert "Withdrawn" in text_of(client.get(answer["Location"]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"more": "0", "reason": "x"}, "whole number from 1"),
        ({"more": "many", "reason": "x"}, "Enter a whole number"),
        ({"more": "3", "reason": " "}, "This field is required"),
        ({"more": "3", "reason": "x", "visitors_per_hour": "5"}, "The lifetime in seconds is a whole number from 60"),
        ({"more": "3", "reason": "x", "visitors_per_hour": "5", "lifetime_minutes": "nan"}, "Enter a number"),
        ({"more": "3", "reason": "x", "visitors_per_hour": "5", "lifetime_minutes": "1e300"}, "from 60"),
    ],
)
def test_what_is_wrong_stands_at_its_field(scene, as_, data, said):
    answer = as_("member").post(f"{NEW}?ceiling=network_dynamic", data)
    assert answer.status_code == 422 and said in text_of(answer)
    assert not LimitRequest.objects.exists()


def test_the_traffic_may_be_left_out(scene, as_):
    as_("member").post(f"{NEW}?ceiling=network_dynamic", {"more": "3", "reason": "x", "lifetime_minutes": "30"})
    assert LimitRequest.objects.get().lifetime_seconds is None


def test_without_a_limit_there_is_nothing_to_ask(scene, as_):
    client = as_("member")
    scene.limits()
    assert "No limit is set here" in text_of(client.get(NEW))


def test_a_grant_holder_asks_for_the_network_too(scene, as_):
    access_grant(by=None, obj=scene.roofing, to=scene.people.limited, action="manage_numbers")
    client = as_("limited")
    assert client.get(f"{NEW}?ceiling=network_total&campaign={scene.roofing.pk}").status_code == 200
    client.post(f"{NEW}?ceiling=network_total&campaign={scene.roofing.pk}", {"more": "3", "reason": "x"})
    assert LimitRequest.objects.get().campaign is None


def test_the_decider_sees_the_sum_and_approves(scene, as_, contract):
    request = ask(scene)
    client = as_("staff")
    said = text_of(client.get(f"/numbers/requests/{request.pk}/"))
    assert "Recommended: 10 more numbers" in said and "1,200 − 0" in said
    answer = client.post(
        f"/numbers/requests/{request.pk}/decide/", {"decision": "approve", "note": "Enjoy", "next": CSM}
    )
    assert answer["Location"] == CSM
    assert NetworkNumbers.objects.get(pk=scene.network.pk).total_limit == 60
    said = text_of(as_("member").get(f"/numbers/requests/{request.pk}/"))
    assert "Approved: 10 more numbers" in said and "Enjoy" in said and "The sum" not in said
    assert "The sum when it was decided" in text_of(as_("manager").get(f"/numbers/requests/{request.pk}/"))
    assert Notice.objects.get(user=scene.people.member).link == f"/numbers/requests/{request.pk}/"


def test_a_refused_decision_is_explained_and_keeps_what_was_typed(scene, as_, contract):
    request = ask(scene, ceiling="campaign", campaign=scene.roofing, more=300)
    client, path = as_("super"), f"/numbers/requests/{request.pk}/decide/"
    answer = client.post(path, {"decision": "decline"})
    assert answer.status_code == 422 and "Say why not" in text_of(answer)
    assert client.post(path, {"decision": "change", "granted": "many"}).status_code == 422
    answer = client.post(path, {"decision": "change", "granted": "290", "note": "Go on"})
    assert answer.status_code == 422 and "up to 110 (100 more) is safe" in text_of(answer)
    page = answer.content.decode()
    assert 'name="confirmed" value="1"' in page and 'name="granted" value="290"' in page
    client.post(path, {"decision": "change", "granted": "290", "note": "Go on", "confirmed": "1"})
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 300
    answer = client.post(path, {"decision": "approve"})
    assert answer.status_code == 422 and "This request is closed: approved with another figure" in text_of(answer)


@pytest.mark.parametrize(("persona", "status"), [("member", 403), ("manager", 403), ("super", 403), ("outsider", 404)])
def test_who_may_not_decide_is_refused_by_the_server_too(scene, as_, persona, status):
    request = ask(scene)
    answer = as_(persona).post(f"/numbers/requests/{request.pk}/decide/", {"decision": "approve"})
    assert answer.status_code == status
    request.refresh_from_db()
    assert request.state == "open"


def test_nothing_is_decided_by_get_and_nothing_leads_away(scene, as_):
    request, client = ask(scene), as_("staff")
    for name in ("request-decide", "request-withdraw"):
        assert client.get(reverse(f"numbers:{name}", args=[request.pk])).status_code == 405
    answer = client.post(
        f"/numbers/requests/{request.pk}/decide/", {"decision": "approve", "next": "https://evil.example/"}
    )
    assert answer["Location"] == f"/numbers/requests/{request.pk}/"


def test_filters_of_the_list(scene, as_):
    ask(scene)
    other = NetworkFactory(name="Elsewhere")
    NetworkNumbers.objects.filter(pk=other.pk).update(total_limit=1)
    limit_request_create(by=scene.people.staff, network=other, ceiling="network_total", more=77, reason="x")
    client = as_("staff")
    assert "10 more numbers" in text_of(client.get(LIST)) and "77 more" not in text_of(client.get(LIST))
    assert "77 more" in text_of(client.get(f"{LIST}?scope=all"))
    assert "77 more" not in text_of(as_("super").get(f"{LIST}?scope=all"))
    assert "No request matches" in text_of(client.get(f"{LIST}?state=decided"))
    assert "10 more numbers" in text_of(client.get(f"{LIST}?state=open&ceiling=network_total"))


# The CSM's page -------------------------------------------------------------------------------------------------------


def test_the_csms_page_shows_use_sums_and_requests(scene, as_, contract):
    CampaignNumbers.objects.filter(pk=scene.roofing.pk).update(allowed=40)
    for days in range(30):
        PromoNumberFactory(campaign=scene.roofing, created_at=timezone.now() - timedelta(days=29 - days))
    days_roll_up()
    ask(scene)
    said = text_of(as_("staff").get(f"{CSM}{scene.network.pk}/"))
    assert "30 now + 1.000 × 364 days = 394" in said
    assert "(1,200 − 0) ÷ 12 months left = 100" in said
    assert "Spring flyers" in said and "Recommended: 10 more numbers" in said and "Approve" in said
    said = text_of(as_("manager").get(f"{CSM}{scene.network.pk}/"))
    assert "Ask for more" in said and "Approve" not in said


def test_others_are_led_from_the_list_to_their_own_network(scene, as_):
    answer = as_("manager").get(CSM)
    assert answer["Location"] == f"{CSM}{scene.network.pk}/"


def test_lists_cost_the_same_whatever_their_length(scene, as_, django_assert_max_num_queries):
    client = as_("staff")

    def cost(address):
        with django_assert_max_num_queries(15) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    ask(scene)
    Contract.objects.create(
        network=scene.network, starts_on=timezone.now(), ends_on=timezone.now(), numbers=1, csm=scene.people.staff
    )
    before = [cost(CSM), cost(LIST), cost(f"{LIST}?scope=all")]
    for network in NetworkFactory.create_batch(60):
        NetworkNumbers.objects.filter(pk=network.pk).update(total_limit=5)
        Contract.objects.create(
            network=network, starts_on=timezone.now(), ends_on=timezone.now(), numbers=1, csm=scene.people.staff
        )
        limit_request_create(
            by=scene.people.staff, network=network, ceiling="network_total", more=1, reason="x"
        )  # fmt: skip
    for _ in range(55):
        limit_request_create(
            by=UserFactory(is_platform_staff=True), network=scene.network, ceiling="network_total", more=1, reason="x"
        )
    after = [cost(CSM), cost(LIST), cost(f"{LIST}?scope=all")]
    assert after == before
    assert "Next" in text_of(client.get(CSM)) and "Next" in text_of(client.get(LIST))


def test_setting_the_contract(scene, as_):
    client, path = as_("staff"), f"{CSM}{scene.network.pk}/contract/"
    data = {
        "starts_on": "2026-01-01", "ends_on": "2025-12-31", "numbers": "6000", "period": "Year", "overage_price": "2.50",
        "currency": "USD", "csm": str(scene.people.staff.pk), "reason": "New customer",
    }  # fmt: skip
    answer = client.post(path, data)
    assert answer.status_code == 422 and "The last day comes after the first" in text_of(answer)
    assert client.post(path, data | {"csm": str(scene.people.super.pk)}).status_code == 422
    client.post(path, data | {"ends_on": "2026-12-31"})
    assert Contract.objects.get().csm == scene.people.staff
    said = text_of(client.get(f"{CSM}{scene.network.pk}/"))
    assert "6,000 number-months a year" in said and "New customer" in said


# The admin ------------------------------------------------------------------------------------------------------------


def test_the_admin_sets_contracts_by_the_same_action(scene, as_, contract):
    client = as_("staff")
    path = reverse("admin:numbers_contract_change", args=[contract.pk])
    data = {
        "csm": scene.people.staff.pk, "starts_on": "2026-01-01", "ends_on": "2026-12-31", "numbers": 12000,
        "period": "Year", "overage_price": "-1", "currency": "USD",
    }  # fmt: skip
    answer = client.post(path, data)
    assert answer.status_code == 200 and "A price is 0 or more" in text_of(answer)
    assert client.post(path, data | {"overage_price": "3"}).status_code == 302
    contract.refresh_from_db()
    assert (contract.numbers, contract.csm) == (12000, scene.people.staff)
    other = NetworkFactory()
    answer = client.post(reverse("admin:numbers_contract_add"), data | {"overage_price": "3", "network": other.pk})
    assert answer.status_code == 302 and Contract.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize(("persona", "status"), [("member", 404), ("super", 403), ("outsider", 404)])
def test_the_admin_lets_nobody_else_write_a_contract(scene, as_, contract, persona, status):
    answer = as_(persona).post(reverse("admin:numbers_contract_change", args=[contract.pk]), {"numbers": 1})
    assert answer.status_code == status
    contract.refresh_from_db()
    assert contract.numbers == 1200


def test_the_admin_shows_requests_to_those_who_may_see_them(scene, as_):
    own, others = ask(scene), ask(scene, "manager")
    page = as_("member").get(reverse("admin:numbers_limitrequest_changelist")).content.decode()
    assert f"/{own.pk}/change/" in page and f"/{others.pk}/change/" not in page
    said = text_of(as_("member").get(reverse("admin:numbers_limitrequest_change", args=[own.pk])))
    assert "Working" not in said
