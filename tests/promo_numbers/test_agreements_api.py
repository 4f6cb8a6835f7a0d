"""Limits, requests, contracts and use over the API: shapes, rights per persona, ETags, repeats, and the cost of lists."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from promo_numbers.actions.days import days_roll_up
from promo_numbers.actions.requests import limit_request_create
from promo_numbers.models import CampaignNumbers, Contract, LimitRequest, NetworkNumbers

from campaigns.actions import access_grant
from tests.api.conftest import codes
from tests.factories import CampaignFactory, PromoNumberFactory, UserFactory

pytestmark = pytest.mark.django_db

ROOFING = "advertisers/27/advertiser_campaigns/roofing/promo_number_limit.json"
PERSONAS = ["limited", "observer", "member", "manager", "super", "staff", "outsider"]


@pytest.fixture
def as_(scene, as_):
    """The API of a network with limits."""
    scene.limits(total=50, dynamic=5)
    return as_


@pytest.fixture
def contract(scene):
    today = timezone.now().date()
    return Contract.objects.create(
        network=scene.network, csm=UserFactory(email="csm@headroom.example", is_platform_staff=True), starts_on=today,
        ends_on=today + timedelta(days=364), numbers=1200, overage_price="2.50",
    )  # fmt: skip


def ask(scene, by="member", **values):
    values = {"ceiling": "network_total", "more": 10, "reason": "Spring", **values}
    return limit_request_create(by=getattr(scene.people, by), network=scene.network, **values)


# Limits ---------------------------------------------------------------------------------------------------------------


def test_limits_with_use_and_who_may_raise(scene, as_):
    PromoNumberFactory.create_batch(3, campaign=scene.roofing)
    body = as_("observer").get("promo_number_limits.json").json()
    total, dynamic = body["network"]["limits"]
    assert (total["ceiling"], total["used"], total["limit"], total["free"]) == ("network_total", 3, 50, 47)
    assert (dynamic["ceiling"], dynamic["free"]) == ("network_dynamic", 5)
    assert total["who_may_raise"].startswith("Only platform staff")
    (row,) = [row for row in body["results"] if row["campaign"] == "roofing"]
    assert row == {
        "campaign": "roofing", "advertiser": "27", "name": "Roofing", "ceiling": "campaign", "used": 3, "limit": 10,
        "label": "Promo Numbers Allowed on the campaign", "free": 7, "may_raise": False,
        "who_may_raise": "A Super User of the network raises it, on the campaign's tab Direct Promo Numbers.",
    }  # fmt: skip
    assert as_("super").get(ROOFING).json() == {**row, "may_raise": True}


def test_campaigns_are_filtered_and_restricted(scene, as_):
    CampaignNumbers.objects.filter(pk=scene.plumbing.pk).update(allowed=0)

    def found(api, query=""):
        return [row["campaign"] for row in api.get(f"promo_number_limits.json{query}").json()["results"]]

    api = as_("observer")
    assert found(api) == ["plumbing", "roofing"]
    assert found(api, "?at_limit=true") == ["plumbing"]
    assert found(api, "?campaign=roofing&advertiser=27") == ["roofing"]
    assert found(api, "?advertiser=28") == []
    limited = as_("limited")
    assert limited.get("promo_number_limits.json").json() == {
        "network": None, "results": [], "next": None, "previous": None,
    }  # fmt: skip
    access_grant(by=None, obj=scene.roofing, to=scene.people.limited, action="view")
    assert found(limited) == ["roofing"]
    first = api.get("promo_number_limits.json?page_size=1")
    assert first.json()["next"] and 'rel="next"' in first["Link"]


def test_lists_cost_the_same_whatever_their_length(scene, as_, django_assert_num_queries):
    api = as_("manager")

    def cost(path):
        api.get(path)  # the token, once
        with django_assert_num_queries(4 if "limits" in path else 2):
            assert api.get(path).status_code == 200

    ask(scene)
    for path in ("promo_number_limits.json", "limit_requests.json"):
        cost(path)
    CampaignFactory.create_batch(15, advertiser=scene.advertiser)
    for _ in range(15):
        user = UserFactory(is_platform_staff=True)
        limit_request_create(by=user, network=scene.network, ceiling="network_total", more=1, reason="x")
    for path in ("promo_number_limits.json", "limit_requests.json"):
        cost(path)


@pytest.mark.parametrize(
    ("persona", "status"),
    # Limited members do not see the limits that they would set.
    list(zip(PERSONAS, [404, 403, 403, 403, 403, 200, 404], strict=True)),
)
def test_who_sets_the_networks_limits(scene, as_, persona, status):
    answer = as_(persona).patch("promo_number_limits.json", {"total": 80, "dynamic": None, "reason": "Upgrade"})
    assert answer.status_code == status
    row = NetworkNumbers.objects.get(pk=scene.network.pk)
    assert (row.total_limit, row.dynamic_limit) == ((80, None) if status == 200 else (50, 5))


def test_setting_the_networks_limits(scene, as_):
    PromoNumberFactory.create_batch(3, campaign=scene.roofing)
    api = as_("staff")
    tag = api.get("promo_number_limits.json")["ETag"]
    answer = api.patch("promo_number_limits.json", {"total": 2})
    assert (answer.status_code, codes(answer)) == (409, [("below_use", "total")])
    assert answer.json()["details"] == {"used": 3, "limit": 2}
    assert codes(api.patch("promo_number_limits.json", {"totl": 80})) == [("unknown_field", "totl")]
    assert codes(api.patch("promo_number_limits.json", {"total": "80"})) == [("invalid", "total")]
    assert codes(api.patch("promo_number_limits.json", {"total": -1})) == [("out_of_range", "total")]
    assert api.patch("promo_number_limits.json", {"total": 60}, If_Match=tag).status_code == 200
    assert api.patch("promo_number_limits.json", {"total": 70}, If_Match=tag).status_code == 412
    assert NetworkNumbers.objects.get(pk=scene.network.pk).total_limit == 60


@pytest.mark.parametrize(("persona", "status"), list(zip(PERSONAS, [404, 403, 403, 403, 200, 200, 404], strict=True)))
def test_who_raises_a_campaigns_limit(scene, as_, persona, status):
    answer = as_(persona).patch(ROOFING, {"allowed": 12, "reason": "Fair"})
    assert answer.status_code == status
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == (12 if status == 200 else 10)


def test_a_large_raise_needs_confirm(scene, as_, contract):
    api = as_("super")
    answer = api.patch(ROOFING, {"allowed": 300, "reason": "Fair"})
    assert (answer.status_code, codes(answer)) == (422, [("large_raise", "allowed")])
    assert answer.json()["details"]["safe_limit"] == 110
    assert codes(api.patch(ROOFING, {"allowed": 300})) == [("required", "reason")]
    tag = api.get(ROOFING)["ETag"]
    assert api.patch(ROOFING, {"allowed": 300, "reason": "Fair", "confirm": True}, If_Match=tag).json()["limit"] == 300
    assert api.patch(ROOFING, {"allowed": 301, "reason": "Fair", "confirm": True}, If_Match=tag).status_code == 412


# Requests -------------------------------------------------------------------------------------------------------------

NEW = {"ceiling": "network_dynamic", "more": 12, "reason": "Summer", "visitors_per_hour": 20, "lifetime_seconds": 1800}


def test_from_asking_to_the_decision(scene, as_, contract):
    asker, decider = as_("member"), as_("staff")
    answer = asker.post("limit_requests.json", NEW)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["state"], made["asked_by"], made["limit_then"]) == ("open", "member@acme.example", 5)
    assert (made["working"], made["may_decide"]) == (None, False), "the sum is for Managers and above"
    path = f"limit_requests/{made['id']}"
    seen = decider.get(f"{path}.json").json()
    assert seen["may_decide"] and seen["working"]["figures"]["numbers_for_traffic"] == 18
    done = decider.post(f"{path}/change.json", {"granted": 9, "note": "For now"}).json()
    assert (done["state"], done["granted"], done["decided_by"]) == ("changed", 9, "staff@headroom.example")
    assert NetworkNumbers.objects.get(pk=scene.network.pk).dynamic_limit == 14
    read = asker.get(f"{path}.json").json()
    assert (read["note"], read["working"]) == ("For now", None)
    assert (
        as_("manager").get(f"{path}.json").json()["working"]["recommended_more"] == seen["working"]["recommended_more"]
    )
    assert [row["id"] for row in asker.get("limit_requests.json?state=changed").json()["results"]] == [made["id"]]
    assert asker.get("limit_requests.json?state=open").json()["results"] == []
    answer = decider.post(f"{path}/approve.json", {})
    assert (answer.status_code, codes(answer)) == (409, [("already_decided", None)])


def test_a_request_sent_twice_with_a_key_is_one(scene, as_):
    api = as_("member")
    first = api.post("limit_requests.json", NEW, Idempotency_Key="k-1")
    again = api.post("limit_requests.json", NEW, Idempotency_Key="k-1")
    assert (first.json()["id"], again["Idempotent-Replayed"]) == (again.json()["id"], "true")
    answer = api.post("limit_requests.json", NEW)
    assert (answer.status_code, codes(answer)) == (409, [("already_asked", None)])
    assert answer.json()["details"] == {"limit_request": first.json()["id"]}
    path = f"limit_requests/{first.json()['id']}/approve.json"
    staff = as_("staff")
    assert staff.post(path, {}, Idempotency_Key="k-2").status_code == 200
    assert staff.post(path, {}, Idempotency_Key="k-2").status_code == 200
    assert NetworkNumbers.objects.get(pk=scene.network.pk).dynamic_limit == 17


@pytest.mark.parametrize(("persona", "status"), list(zip(PERSONAS, [403, 403, 201, 201, 201, 201, 404], strict=True)))
def test_who_may_ask(scene, as_, persona, status):
    assert as_(persona).post("limit_requests.json", NEW).status_code == status
    assert LimitRequest.objects.count() == (status == 201)


@pytest.mark.parametrize("word", ["approve", "change", "decline", "withdraw"])
@pytest.mark.parametrize(("persona", "status"), list(zip(PERSONAS, [404, 404, 403, 403, 403, 200, 404], strict=True)))
def test_who_may_decide(scene, as_, persona, status, word):
    request = ask(scene)
    sent = {"approve": {}, "change": {"granted": 3}, "decline": {"note": "No"}, "withdraw": {}}[word]
    if word == "withdraw":
        status = {"member": 200, "staff": 403}.get(persona, status)
    answer = as_(persona).post(f"limit_requests/{request.pk}/{word}.json", sent)
    assert answer.status_code == status, answer.content
    request.refresh_from_db()
    assert (request.state != "open") == (status == 200)


def test_a_read_only_token_reads(scene, as_):
    request = ask(scene)
    api = as_("staff", read_only=True)
    assert api.get("limit_requests.json").status_code == 200
    assert api.post(f"limit_requests/{request.pk}/approve.json", {}).status_code == 403
    assert api.patch("promo_number_limits.json", {"total": 80}).status_code == 403


def test_what_is_wrong_is_named(scene, as_):
    api = as_("member")
    cases = [
        ({}, [("required", "ceiling"), ("required", "more"), ("required", "reason")]),
        ({**NEW, "more": "12"}, [("invalid", "more")]),
        ({**NEW, "ceiling": "sky"}, [("unknown_ceiling", "ceiling")]),
        ({**NEW, "campaign": "nowhere"}, [("unknown_campaign", "campaign")]),
        ({**NEW, "campaign": "roofing"}, [("not_of_campaign", "campaign")]),
        ({**NEW, "lifetime_seconds": None}, [("out_of_range", "lifetime_seconds")]),
        ({**NEW, "colour": "red"}, [("unknown_field", "colour")]),
    ]
    for data, expected in cases:
        answer = api.post("limit_requests.json", data)
        assert (answer.status_code, sorted(codes(answer))) == (422, sorted(expected)), data
    staff, request = as_("staff"), ask(scene)
    assert codes(staff.post(f"limit_requests/{request.pk}/change.json", {})) == [("required", "granted")]
    assert codes(staff.post(f"limit_requests/{request.pk}/change.json", {"granted": 0})) == [
        ("out_of_range", "granted")
    ]
    assert codes(staff.post(f"limit_requests/{request.pk}/decline.json", {})) == [("required", "note")]
    for strange in (f"limit_requests/{2**70}.json", "limit_requests/0.json"):
        assert staff.get(strange).status_code == 404


def test_a_campaigns_request_by_its_own_id(scene, as_):
    made = as_("member").post(
        "limit_requests.json", {"ceiling": "campaign", "campaign": "roofing", "more": 3, "reason": "x"}
    )
    assert (made.status_code, made.json()["campaign"]) == (201, "roofing")
    assert as_("super").post(f"limit_requests/{made.json()['id']}/approve.json", {}).json()["state"] == "approved"
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 13


def test_another_networks_request_is_not_found(scene, as_):
    other = CampaignFactory()
    NetworkNumbers.objects.filter(pk=other.network_id).update(total_limit=5)
    staff = scene.people.staff
    strange = limit_request_create(by=staff, network=other.network, ceiling="network_total", more=1, reason="x")
    assert as_("super").get(f"limit_requests/{strange.pk}.json").status_code == 404
    assert as_("staff").get(f"limit_requests/{strange.pk}.json").status_code == 404, "not under this network"


# Contract and use -----------------------------------------------------------------------------------------------------

TERMS = {
    "starts_on": "2026-01-01", "ends_on": "2026-12-31", "numbers": 6000, "period": "Year", "overage_price": "2.50",
    "currency": "USD", "csm": "staff@headroom.example",
}  # fmt: skip


def test_setting_a_contract(scene, as_):
    api = as_("staff")
    assert api.get("contract.json").status_code == 404
    answer = api.put("contract.json", {**TERMS, "reason": "New customer"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {name: body[name] for name in TERMS} == {**TERMS, "overage_price": "2.5000"}
    tag = api.get("contract.json")["ETag"]
    assert api.get("contract.json", If_None_Match=tag).status_code == 304
    answer = api.put("contract.json", {"numbers": 12000, "csm": None}, If_Match=tag)
    assert (answer.status_code, answer.json()["numbers"], answer.json()["csm"]) == (200, 12000, None)
    assert api.put("contract.json", {"numbers": 1}, If_Match=tag).status_code == 412
    assert codes(api.put("contract.json", {"ends_on": "2020-01-01"})) == [("out_of_range", "ends_on")]
    assert codes(api.put("contract.json", {"csm": "member@acme.example"})) == [("not_staff", "csm")]
    assert Contract.objects.get().numbers == 12000


@pytest.mark.parametrize(
    ("persona", "reads", "writes"),
    list(zip(PERSONAS, [403, 403, 403, 200, 200, 200, 404], [403, 403, 403, 403, 403, 200, 404], strict=True)),
)
def test_who_sees_and_sets_contract_and_use(scene, as_, contract, persona, reads, writes):
    api = as_(persona)
    assert api.get("contract.json").status_code == reads
    assert api.get("promo_number_usage.json").status_code == reads
    assert api.put("contract.json", {"numbers": 5}).status_code == writes
    contract.refresh_from_db()
    assert contract.numbers == (5 if writes == 200 else 1200)


def test_use_and_projection(scene, as_, contract):
    for days in range(30):
        PromoNumberFactory(campaign=scene.roofing, created_at=timezone.now() - timedelta(days=29 - days))
        CampaignNumbers.objects.filter(pk=scene.roofing.pk).update(allowed=40)
    days_roll_up()
    body = as_("manager").get("promo_number_usage.json?days=7").json()
    assert [day["static"] for day in body["days"]] == list(range(24, 31))
    assert body["trend_days"] == 30 and body["trend_a_day"] == pytest.approx(1)
    last = body["projection"][-1]
    assert (last["day"], last["projected"]) == (contract.ends_on.isoformat(), 30 + 364)
    assert body["carried_by_contract"] == 100 and body["months_left"] in (12, 13)
    assert body["overage"]["high"] == 0, "the limit of 50 holds it back"
    assert [step["what"] for step in body["steps"]] == ["In use now", "Trend", "Projection", "Contract"]
    for days in ("0", "367", "x", "-1"):
        assert codes(as_("manager").get(f"promo_number_usage.json?days={days}")) == [("out_of_range", "days")]


def test_only_in_the_current_version(scene, as_):
    api = as_("staff").old()
    for path in ("promo_number_limits.json", "limit_requests.json", "contract.json", "promo_number_usage.json"):
        assert api.get(path).status_code == 404


def test_what_a_contract_says_of_days_is_a_date(scene, as_):
    assert as_("staff").put("contract.json", TERMS).status_code == 201
    assert Contract.objects.get().starts_on == date(2026, 1, 1)
