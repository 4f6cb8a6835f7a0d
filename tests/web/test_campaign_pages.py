"""The base page and the campaign pages: who sees what, the cap editor's rights, nothing written by a refusal."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import actions
from campaigns.models import Advertiser, BundleDestination, Campaign, CampaignHour, Cap, DestinationState
from campaigns.queries.lint import lint
from campaigns.queries.summaries import bundle_rows
from portal.audit.models import AuditEvent
from tests.factories import (
    AdvertiserFactory,
    BundleFactory,
    CampaignFactory,
    MembershipFactory,
    bundle_of,
    cap,
    destinations,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def advertiser(network):
    return AdvertiserFactory(network=network, name="Roofing")


@pytest.fixture
def bundle(advertiser):
    """A bundle of two destinations, the first capped at 5, with an overflow."""
    first, second = destinations(2, [5, None], advertiser=advertiser)
    return bundle_of(first, second, overflow=CampaignFactory(advertiser=advertiser, name="Answering service"))


def sign_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="portal.accounts.backends.RoleAndGrantBackend")
    return client


def text_of(response) -> str:
    """The page without tags and white space, so that a test reads what a person reads."""
    body = re.sub(r"<(script|style|template|datalist).*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def first_of(bundle) -> Campaign:
    return bundle.destinations.order_by("id").first().destination


def pages_of(bundle) -> list[str]:
    destination = first_of(bundle)
    return [
        "/",
        reverse("campaigns:list"),
        reverse("campaigns:detail", args=[bundle.pk]),
        reverse("campaigns:detail", args=[destination.pk]),
        reverse("campaigns:caps", args=[bundle.pk]),
        reverse("campaigns:caps", args=[destination.pk]),
        reverse("campaigns:advertisers"),
        reverse("campaigns:advertiser", args=[bundle.advertiser_id]),
    ]


@pytest.mark.parametrize("who", ["observer", "member", "manager", "super", "staff"])
def test_every_page_renders_with_one_h1_and_one_main(bundle, personas, who):
    client = sign_in(getattr(personas, who))
    if who == "staff":
        session = client.session
        session["network_id"] = bundle.network_id
        session.save()
    for address in pages_of(bundle):
        response = client.get(address)
        assert response.status_code == 200, address
        body = response.content.decode()
        assert len(re.findall(r"<main\b", body)) == 1, address
        shown = body.split("<main", 1)[1].split("</main>", 1)[0]
        assert len(re.findall(r"<h1\b", shown)) == 1, address
        assert 'href="#content"' in body, address


def test_another_networks_objects_are_not_found(bundle, personas):
    client = sign_in(personas.outsider)
    destination = first_of(bundle)
    addresses = [address for address in pages_of(bundle) if re.search(r"\d", address)]
    addresses += [reverse("campaigns:edit", args=[bundle.pk]), reverse("campaigns:destination-add", args=[bundle.pk])]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 404, address
        assert destination.name not in response.content.decode()
        assert "There is nothing here, or nothing that you may see" in text_of(response)
    posts = [
        reverse("campaigns:status", args=[bundle.pk]),
        reverse("campaigns:destination-remove", args=[bundle.pk, destination.pk]),
        reverse("campaigns:advertiser-delete", args=[bundle.advertiser_id]),
    ]
    for address in posts:
        assert client.post(address, {"move": "pause"}).status_code == 404, address


def test_signed_out_pages_lead_to_sign_in_and_live_parts_reload_the_page(client, bundle):
    address = reverse("campaigns:detail", args=[bundle.pk])
    assert client.get(address).status_code == 302
    part = client.get(address, {"part": "now"}, headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Refresh"]) == (401, "true")


def test_live_parts_answer_only_themselves(bundle, personas):
    client = sign_in(personas.observer)
    for pk in (bundle.pk, first_of(bundle).pk):
        for part in ("now", "calls"):
            response = client.get(
                reverse("campaigns:detail", args=[pk]), {"part": part}, headers={"HX-Request": "true"}
            )
            assert response.status_code == 200
            assert b"<main" not in response.content
            assert response["Cache-Control"] == "no-store"
    assert b"<main" not in client.get("/", {"part": "now"}, headers={"HX-Request": "true"}).content


def test_sidebar_leads_only_to_pages_that_exist(bundle, personas):
    from portal.navigation import sidebar

    client = sign_in(personas.super)
    request = client.get("/").wsgi_request
    links = [item["link"] for group in sidebar(request) for item in group["items"]]
    assert len(links) >= 8
    for link in links:
        assert client.get(link).status_code in (200, 302), link


def test_sign_out_is_a_post(bundle, personas):
    body = sign_in(personas.observer).get("/").content.decode()
    assert '<form method="post" action="/accounts/logout/">' in body


# Lists ------------------------------------------------------------------------------------------------------------


def test_lists_cost_the_same_number_of_queries_whatever_their_length(
    advertiser, personas, django_assert_max_num_queries
):
    client = sign_in(personas.observer)

    def count(address: str) -> int:
        with django_assert_max_num_queries(12) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    addresses = [
        reverse("campaigns:list"),
        reverse("campaigns:advertisers"),
        reverse("campaigns:advertiser", args=[advertiser.pk]),
    ]
    destinations(2, [1, None], advertiser=advertiser)
    client.get(addresses[-1])  # what is read once per process
    few = [count(address) for address in addresses]
    bundle_of(*destinations(15, 3, advertiser=advertiser))
    AdvertiserFactory.create_batch(10, network=advertiser.network)
    assert [count(address) for address in addresses] == few


def test_bundle_summary_costs_the_same_whatever_stands_in_it(advertiser, personas, django_assert_max_num_queries):
    client = sign_in(personas.observer)

    def count(bundle) -> int:
        with django_assert_max_num_queries(30) as captured:
            assert client.get(reverse("campaigns:detail", args=[bundle.pk])).status_code == 200
        return len(captured)

    small = bundle_of(*destinations(1, 2, advertiser=advertiser))
    count(small)  # what is read once per process
    assert count(small) == count(bundle_of(*destinations(12, 2, advertiser=advertiser)))


def test_the_list_is_walked_by_keyset_forwards_and_back(advertiser, personas):
    made = [CampaignFactory(advertiser=advertiser, name=f"Campaign {index // 2:03d}") for index in range(120)]
    client = sign_in(personas.observer)
    seen, address = [], reverse("campaigns:list")
    while True:
        page = client.get(address).context["page"]
        seen.append([row.pk for row in page])
        if page.after is None:
            break
        address = f"{reverse('campaigns:list')}?after={page.after}"
    assert [pk for part in seen for pk in part] == [row.pk for row in sorted(made, key=lambda row: (row.name, row.pk))]
    back = client.get(f"{reverse('campaigns:list')}?before={page.before}").context["page"]
    assert [row.pk for row in back] == seen[-2]
    assert client.get(f"{reverse('campaigns:list')}?after=nonsense").context["page"].before is None


def test_filters(bundle, personas):
    client = sign_in(personas.observer)
    first = first_of(bundle)
    paused = CampaignFactory(advertiser=bundle.advertiser, name="Night desk", status="Paused")

    def found(**query) -> set[int]:
        return {row.pk for row in client.get(reverse("campaigns:list"), query).context["page"]}

    assert found(q="night") == {paused.pk}
    assert found(q=first.id_from_network) == {first.pk}
    assert found(type="Bundled") == {bundle.pk}
    assert bundle.pk not in found(type="destination")
    assert found(status="Paused") == {paused.pk}
    assert found(advertiser=AdvertiserFactory(network=bundle.network).pk) != {paused.pk}
    assert found(at_cap="1") == set()
    DestinationState.objects.filter(pk=first.pk).update(live=5)
    assert found(at_cap="1") == {first.pk}
    page = client.get(reverse("campaigns:list"))
    assert "5/5 live" in text_of(page)
    for odd in ({"advertiser": "9" * 30}, {"advertiser": "²"}, {"type": "x"}, {"status": "x"}, {"after": "WzFd"}):
        assert client.get(reverse("campaigns:list"), odd).status_code == 200, odd


def test_a_grant_holder_sees_only_what_was_granted(bundle, personas):
    first = first_of(bundle)
    client = sign_in(personas.limited)
    assert "There is no campaign that you may see" in text_of(client.get(reverse("campaigns:list")))
    actions.access_grant(by=personas.super, obj=first, to=personas.limited, action="view")
    assert [row.pk for row in client.get(reverse("campaigns:list")).context["page"]] == [first.pk]
    page = text_of(client.get(reverse("campaigns:detail", args=[first.pk])))
    assert "1 bundle that you may not see" in page and bundle.name not in page
    assert client.get(reverse("campaigns:detail", args=[bundle.pk])).status_code == 404


# Summaries --------------------------------------------------------------------------------------------------------


def test_bundled_campaign_summary_says_cap_live_free_and_state(bundle, personas):
    first, second = (row.destination for row in bundle.destinations.order_by("id"))
    DestinationState.objects.filter(pk=first.pk).update(live=5)
    actions.campaign_move_status(by=None, campaign=second, move="pause")
    page = text_of(sign_in(personas.observer).get(reverse("campaigns:detail", args=[bundle.pk])))
    assert "Bundled Campaign Summary" in page
    assert f"{first.name} 1 1 5 5/5 live 5 of 5 live 0 Concurrent call cap reached: 5/5 live" in page
    assert f"{second.name} 1 1 none 0 live ∞ Paused" in page
    assert "Answering service Can take calls now" in page
    row = {row.destination.pk: row for row in bundle_rows(bundle=bundle, user=personas.observer)}
    assert (row[first.pk].slots.free, row[first.pk].is_open, row[first.pk].visible) == (0, False, True)


def test_share_of_calls_counts_the_last_calls(bundle):
    for caller in range(4):
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=f"+130355501{caller:02d}")
    rows = bundle_rows(bundle=bundle, user=None)
    assert [(row.received, row.share) for row in rows] == [(4, 100.0), (0, 0.0)]


def test_destination_campaign_summary_shows_the_cap_and_what_is_used(bundle, personas):
    first = first_of(bundle)
    cap(first, 7, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="America/Denver")
    DestinationState.objects.filter(pk=first.pk).update(live=6, calls_used=3)
    CampaignHour.objects.create(
        network=first.network,
        campaign=first,
        hour=timezone.now().replace(minute=0, second=0, microsecond=0),
        peak_live=4,
    )
    response = sign_in(personas.observer).get(reverse("campaigns:detail", args=[first.pk]))
    page = text_of(response)
    assert "Destination Campaign Summary" in page
    assert "Concurrent call cap 5" in page and "6 of 5" in page and "1 call above the cap" in page
    assert "3 of 7 calls" in page and "America/Denver" in page
    assert list(response.context["chart"].series[0].values)[-1] == 4
    assert bundle.name in page


def test_a_period_that_has_passed_counts_as_unused(bundle, personas):
    first = first_of(bundle)
    cap(first, 7, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="America/Denver")
    DestinationState.objects.filter(pk=first.pk).update(calls_used=7, calls_until=timezone.now() - timedelta(minutes=1))
    page = text_of(sign_in(personas.observer).get(reverse("campaigns:detail", args=[first.pk])))
    assert "0 of 7 calls" in page


def test_null_and_zero_are_told_apart(bundle, personas):
    client = sign_in(personas.observer)
    first, second = (row.destination for row in bundle.destinations.order_by("id"))
    cap(first, 0)
    assert "Closed: no bundle sends calls here" in text_of(client.get(reverse("campaigns:detail", args=[first.pk])))
    assert "Concurrent call cap none" in text_of(client.get(reverse("campaigns:detail", args=[second.pk])))


@pytest.mark.parametrize(("who", "status"), [("observer", 403), ("member", 403), ("manager", 302), ("super", 302)])
def test_moving_a_status_needs_operate_and_a_post(bundle, personas, who, status):
    client = sign_in(getattr(personas, who))
    address = reverse("campaigns:status", args=[bundle.pk])
    assert client.get(address).status_code == 405
    response = client.post(address, {"move": "pause", "reason": "Storm"})
    assert response.status_code == status
    bundle.refresh_from_db()
    assert bundle.status == ("Paused" if status == 302 else "Live")
    if status == 403:
        assert "campaigns.operate" in text_of(response)
    else:
        assert AuditEvent.objects.get(event="campaign.pause").reason == "Storm"


def test_an_impossible_move_is_said_and_changes_nothing(advertiser, personas):
    campaign = CampaignFactory(advertiser=advertiser, status="Pending", destination_phone_number="")
    client = sign_in(personas.manager)
    page = client.post(reverse("campaigns:status", args=[campaign.pk]), {"move": "go_live"}, follow=True)
    assert "Give the destination phone number before it goes live." in text_of(page)
    campaign.refresh_from_db()
    assert campaign.status == "Pending"


# Caps -------------------------------------------------------------------------------------------------------------


def caps_post(**values) -> dict[str, str]:
    """What the browser sends for the three fieldsets when nothing is set, changed by `values` (kind__field)."""
    period = {"reset_period": "Daily", "starts_at": "", "time_zone": "America/New_York", "alerts_enabled": "on"}
    data = {
        "budget-amount": "",
        "periodic_calls-amount": "",
        "concurrent_calls-amount": "",
        **{f"periodic_calls-{name}": value for name, value in period.items()},
        **{f"budget-{name}": value for name, value in (period | {"reset_period": "Monthly"}).items()},
        **{f"{kind}-alert_thresholds": "75, 90, 100" for kind in ("budget", "periodic_calls", "concurrent_calls")},
    }
    return data | {name.replace("__", "-"): value for name, value in values.items()}


def test_a_manager_sets_all_three_caps_at_once(bundle, personas):
    second = bundle.destinations.order_by("id").last().destination
    address = reverse("campaigns:caps", args=[second.pk])
    client = sign_in(personas.manager)
    assert client.get(address).status_code == 200
    page = client.post(
        address,
        caps_post(
            budget__amount="2500.50", budget__starts_at="2026-11-01", budget__include_call_fees="on",
            periodic_calls__amount="40", periodic_calls__starts_at="2026-11-01", concurrent_calls__amount="8",
        ),
        follow=True,
    )  # fmt: skip
    assert "Concurrent call cap set to 8, in effect now." in text_of(page)
    found = {row.kind: row for row in Cap.objects.filter(campaign=second)}
    assert (found["budget"].amount, found["budget"].include_call_fees) == (pytest.approx(2500.5), True)
    assert found["periodic_calls"].reset_period == "Daily"
    assert (found["concurrent_calls"].amount, found["concurrent_calls"].alerts_enabled) == (8, False)
    assert DestinationState.objects.get(pk=second.pk).live_cap == 8


def test_a_blank_amount_takes_the_cap_away_and_zero_closes(bundle, personas):
    first = first_of(bundle)
    client = sign_in(personas.manager)
    address = reverse("campaigns:caps", args=[first.pk])
    page = client.post(address, caps_post(concurrent_calls__amount="0"), follow=True)
    assert "Concurrent call cap is 0: the campaign is closed" in text_of(page)
    page = client.post(address, caps_post(concurrent_calls__amount=" "), follow=True)
    assert "Concurrent call cap removed" in text_of(page)
    assert not Cap.objects.filter(campaign=first).exists()


def test_a_cap_below_what_is_live_is_taken_and_says_so(bundle, personas):
    first = first_of(bundle)
    DestinationState.objects.filter(pk=first.pk).update(live=5)
    page = sign_in(personas.manager).post(
        reverse("campaigns:caps", args=[first.pk]), caps_post(concurrent_calls__amount="3"), follow=True
    )
    assert "2 calls are live above it now" in text_of(page)
    assert DestinationState.objects.get(pk=first.pk).live_cap == 3


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_written(bundle, personas):
    first = first_of(bundle)
    response = sign_in(personas.manager).post(
        reverse("campaigns:caps", args=[first.pk]),
        caps_post(
            budget__amount="100", budget__time_zone="Mars/Olympus", budget__starts_at="2026-11-01",
            periodic_calls__amount="2.5", concurrent_calls__amount="-1",
        ),
    )  # fmt: skip
    assert response.status_code == 422
    budget, calls, concurrent = response.context["forms"]
    assert list(budget.errors) == ["time_zone"]
    assert "whole calls" in calls.errors["amount"][0] and "starts_at" in calls.errors
    assert "cannot be negative" in concurrent.errors["amount"][0]
    assert [(row.kind, row.amount) for row in Cap.objects.filter(campaign=first)] == [("concurrent_calls", 5)]
    assert 'aria-invalid="true"' in response.content.decode()


def test_an_observer_reads_the_caps_with_the_reason_and_cannot_post(bundle, personas):
    first = first_of(bundle)
    address = reverse("campaigns:caps", args=[first.pk])
    for user in (personas.observer, personas.member):
        client = sign_in(user)
        response = client.get(address)
        page = text_of(response)
        assert "campaigns.change_budget_caps" in page and "Manager and above" in page
        assert "Save caps" not in page
        assert all(field.disabled for form in response.context["forms"] for field in form.fields.values())
        refused = client.post(address, caps_post(concurrent_calls__amount="99"))
        assert refused.status_code == 403 and "campaigns.change_budget_caps" in text_of(refused)
    assert Cap.objects.get(campaign=first).amount == 5


@pytest.mark.parametrize("on", ["campaign", "advertiser"])
def test_a_grant_holder_edits_the_caps_where_he_was_granted_it(bundle, personas, on):
    first = first_of(bundle)
    obj = first if on == "campaign" else first.advertiser
    for action in ("view", "change_budget_caps"):
        actions.access_grant(by=personas.super, obj=obj, to=personas.limited, action=action)
    client = sign_in(personas.limited)
    response = client.post(reverse("campaigns:caps", args=[first.pk]), caps_post(concurrent_calls__amount="6"))
    assert response.status_code == 302
    assert Cap.objects.get(campaign=first).amount == 6
    other = CampaignFactory(advertiser__network=bundle.network)
    assert client.post(reverse("campaigns:caps", args=[other.pk]), caps_post()).status_code == 404


def test_a_bundle_is_not_offered_a_concurrent_cap(bundle, personas):
    address = reverse("campaigns:caps", args=[bundle.pk])
    client = sign_in(personas.manager)
    response = client.get(address)
    assert [form.kind for form in response.context["forms"]] == ["budget", "periodic_calls"]
    assert "A bundle has no concurrent call cap" in text_of(response)
    client.post(address, caps_post(concurrent_calls__amount="5"))
    assert not Cap.objects.filter(campaign=bundle).exists()


def test_the_networks_switch_hides_the_concurrent_cap_and_keeps_what_is_stored(bundle, personas):
    first = first_of(bundle)
    bundle.network.concurrent_call_caps_enabled = False
    bundle.network.save()
    client = sign_in(personas.manager)
    address = reverse("campaigns:caps", args=[first.pk])
    page = text_of(client.get(address))
    assert "not switched on" in page and "The cap of 5 that was set before is kept" in page
    client.post(address, caps_post(concurrent_calls__amount="9"))
    assert Cap.objects.get(campaign=first).amount == 5
    assert "stored cap of 5 is not enforced" in text_of(client.get(reverse("campaigns:detail", args=[first.pk])))


# Editing ----------------------------------------------------------------------------------------------------------


def campaign_post(**values) -> dict:
    data = {
        "name": "Denver desk", "time_zone": "America/Denver", "currency": "USD", "payin": "", "payout": "12.50",
        "campaign_type": "DirectOnly", "destination_phone_number": "(303) 555-0100", "operating_24_7": "on",
        "region_name": [""], "region_type": ["City"], "region_value": [""],
    }  # fmt: skip
    return data | values


def test_create_a_campaign_with_overnight_hours_and_regions(advertiser, personas, places):
    data = campaign_post(
        advertiser=f"{advertiser.name} [{advertiser.id_from_network}]",
        friday_open="22:00", friday_closed="06:00", friday_overnight="on",
        region_name=["Front Range", "Front Range", ""], region_type=["City", "Prefix", "State"],
        region_value=["Denver, CO", "720, 970", ""],
    )  # fmt: skip
    del data["operating_24_7"]
    response = sign_in(personas.member).post(reverse("campaigns:new"), data)
    campaign = Campaign.objects.get(name="Denver desk")
    assert response.url == reverse("campaigns:detail", args=[campaign.pk])
    assert (campaign.status, campaign.destination_phone_number) == ("Pending", "+13035550100")
    assert campaign.hours == {"friday_open": 79200, "friday_closed": 108000}
    assert [region["value"] for region in campaign.named_regions[0]["regions"]] == ["Denver, CO", "720, 970"]
    form = sign_in(personas.member).get(reverse("campaigns:edit", args=[campaign.pk])).context["form"]
    friday = next(row for row in form.hours if row["day"] == "friday")
    assert (friday["opens"], friday["closes"], friday["overnight"]) == ("22:00", "06:00", True)


def test_bad_hours_regions_and_numbers_are_marked_where_they_stand(advertiser, personas, places):
    data = campaign_post(
        advertiser=advertiser.name, destination_phone_number="12",
        region_name=["Here", "There"], region_type=["City", "State"], region_value=["Denver, CO", "Atlantis"],
    )  # fmt: skip
    client = sign_in(personas.member)
    response = client.post(reverse("campaigns:new"), data)
    assert response.status_code == 422
    form = response.context["form"]
    assert "destination_phone_number" in form.errors
    assert "Atlantis" in list(form.regions)[1]["error"] and next(iter(form.regions))["error"] is None
    response = client.post(
        reverse("campaigns:new"), data | {"monday_open": "18:00", "monday_closed": "08:00", "region_value": ["", ""]}
    )
    assert "tick “next day”" in text_of(response)
    assert not Campaign.objects.filter(name="Denver desk").exists()


def test_an_edit_over_somebody_elses_is_refused(bundle, personas):
    first = first_of(bundle)
    client = sign_in(personas.member)
    address = reverse("campaigns:edit", args=[first.pk])
    version = client.get(address).context["version"]
    actions.campaign_update(by=personas.manager, campaign=first, description="Changed meanwhile")
    response = client.post(address, campaign_post(version=version))
    assert response.status_code == 422 and "Somebody changed this campaign meanwhile" in text_of(response)
    first.refresh_from_db()
    assert first.name != "Denver desk"


def test_creating_and_editing_need_the_right(bundle, personas):
    client = sign_in(personas.observer)
    for address in (
        reverse("campaigns:new"),
        reverse("campaigns:edit", args=[bundle.pk]),
        reverse("campaigns:destination-add", args=[bundle.pk]),
        reverse("campaigns:advertiser-new"),
        reverse("campaigns:advertiser-edit", args=[bundle.advertiser_id]),
    ):
        for response in (client.get(address), client.post(address, campaign_post())):
            assert response.status_code == 403, address


def test_bundle_settings_and_its_copy(bundle, personas):
    client = sign_in(personas.member)
    other = CampaignFactory(advertiser=bundle.advertiser, name="Other overflow")
    data = {
        "name": bundle.name, "time_zone": "America/Denver", "currency": "USD", "payin": "0", "payout": "0",
        "distribution": "MostFree", "overflow": f"Other overflow [{other.id_from_network}]", "repeat_caller": "on",
        "repeat_window_days": "14", "version": client.get(reverse("campaigns:edit", args=[bundle.pk])).context["version"],
    }  # fmt: skip
    assert client.post(reverse("campaigns:edit", args=[bundle.pk]), data).status_code == 302
    bundle.refresh_from_db()
    assert (bundle.overflow, bundle.distribution, bundle.repeat_window_days) == (other, "MostFree", 14)
    assert "ignores the concurrent call cap" in text_of(client.get(reverse("campaigns:detail", args=[bundle.pk])))
    address = f"{reverse('campaigns:new')}?from={bundle.pk}"
    initial = client.get(address).context["form"].initial
    del data["version"]
    client.post(address, data | {"name": "The copy", "advertiser": initial["advertiser"]})
    assert Campaign.objects.get(name="The copy").destinations.count() == 2


def test_destinations_are_added_changed_and_removed(bundle, personas):
    client = sign_in(personas.member)
    new = CampaignFactory(advertiser=bundle.advertiser, name="New desk")
    add = reverse("campaigns:destination-add", args=[bundle.pk])
    text = f"New desk [{new.id_from_network}]"
    assert client.post(add, {"destination": text, "priority": "2", "weight": "5"}).status_code == 302
    again = client.post(add, {"destination": text, "priority": "2", "weight": "5"})
    assert again.status_code == 422 and "already stands in" in text_of(again)
    assert "is not a destination campaign" in text_of(
        client.post(add, {"destination": bundle.name, "priority": 1, "weight": 1})
    )
    change = reverse("campaigns:destination-change", args=[bundle.pk, new.pk])
    assert "priority" in client.post(change, {"priority": "0", "weight": "5"}).context["form"].errors
    assert client.post(change, {"priority": "3", "weight": "0"}).status_code == 302
    row = BundleDestination.objects.get(bundle=bundle, destination=new)
    assert (row.priority, row.weight) == (3, 0)
    remove = reverse("campaigns:destination-remove", args=[bundle.pk, new.pk])
    assert client.get(remove).status_code == 405
    assert client.post(remove).status_code == 302
    assert not BundleDestination.objects.filter(pk=row.pk).exists()
    assert sign_in(personas.observer).post(remove).status_code in (403, 404)


def test_pickers_suggest_only_what_the_user_may_see(bundle, personas, places):
    first = first_of(bundle)
    expected = f"{first.name} [{first.id_from_network}]"
    address = reverse("campaigns:suggest-campaigns")
    assert expected in sign_in(personas.observer).get(address, {"q": first.name[:4]}).json()
    assert sign_in(personas.limited).get(address).json() == []
    assert expected not in sign_in(personas.outsider).get(address).json()
    cities = sign_in(personas.observer).get(reverse("campaigns:suggest-places"), {"q": "Denv", "type": "City"}).json()
    assert "Denver, CO" in cities


# Advertisers ------------------------------------------------------------------------------------------------------


def test_advertisers_are_created_changed_and_deleted_only_when_empty(bundle, personas):
    client = sign_in(personas.manager)
    client.post(reverse("campaigns:advertiser-new"), {"name": "Solar", "id_from_network": "sol-1"})
    made = Advertiser.objects.get(id_from_network="sol-1")
    taken = client.post(reverse("campaigns:advertiser-new"), {"name": "Other", "id_from_network": "sol-1"})
    assert "is taken by" in taken.context["form"].errors["id_from_network"][0]
    client.post(reverse("campaigns:advertiser-edit", args=[made.pk]), {"name": "Mile High Solar"})
    made.refresh_from_db()
    assert made.name == "Mile High Solar"
    kept = client.post(reverse("campaigns:advertiser-delete", args=[bundle.advertiser_id]), follow=True)
    assert "only an advertiser without any can be deleted" in text_of(kept)
    member = MembershipFactory(network=bundle.network, role=20).user
    assert sign_in(member).post(reverse("campaigns:advertiser-delete", args=[made.pk])).status_code == 403
    client.post(reverse("campaigns:advertiser-delete", args=[made.pk]))
    assert not Advertiser.objects.filter(pk=made.pk).exists()


# Lint and dashboard -----------------------------------------------------------------------------------------------


def codes(bundle) -> set[str]:
    return {finding.code for finding in lint(bundle=bundle, rows=bundle_rows(bundle=bundle, user=None))}


def test_lint_of_a_sound_bundle_is_silent(bundle):
    assert codes(bundle) == set()


def test_lint_finds_what_loses_calls(advertiser, network):
    empty = BundleFactory(advertiser=advertiser)
    assert codes(empty) == {"no_overflow", "no_destinations"}
    asleep = CampaignFactory(advertiser=advertiser, status="Paused", operating_24_7=False)
    cap(asleep, 0)
    us = [{"name": "All", "regions": [{"region_type": "Country", "value": "US"}]}]
    co = [{"name": "Colorado", "regions": [{"region_type": "State", "value": "CO"}]}]
    regional, leftover = (CampaignFactory(advertiser=advertiser, named_regions=named) for named in (co, us))
    never = CampaignFactory(advertiser=advertiser, operating_24_7=False)
    zero = CampaignFactory(advertiser=advertiser)
    cap(zero, 0)
    bundle = bundle_of(regional, leftover, never, zero, overflow=asleep, distribution="Weighted")
    assert codes(bundle) == {
        "overflow_not_live", "overflow_never_open", "overflow_cap_zero", "destination_whole_country",
        "destination_never_open", "destination_cap_zero",
    }  # fmt: skip
    bundle.destinations.update(weight=0)
    assert "weights_all_zero" in codes(bundle)
    Campaign.objects.filter(standing_in__bundle=bundle).update(status="Paused")
    assert "no_live_destination" in codes(bundle)
    assert "all_capped" in codes(bundle_of(*destinations(2, 3, advertiser=advertiser)))


def test_the_dashboard_counts_what_is_live_and_at_cap(bundle, personas):
    only = first_of(bundle)
    for caller in range(6):
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=f"+130355501{caller:02d}")
    CampaignHour.objects.create(
        network=bundle.network, campaign=bundle, hour=timezone.now().replace(minute=0, second=0, microsecond=0),
        calls=9, refused=3, refused_by_reason={"capped": 2, "closed": 1},
    )  # fmt: skip
    page = text_of(sign_in(personas.observer).get("/"))
    assert "Calls now 6" in page
    assert "100 % 5 of 5 slots" in page
    assert f"{only.name} {only.advertiser} 5/5 live" in page
    assert "Capped (nothing free under the caps) 2" in page
    hidden = text_of(sign_in(personas.limited).get("/"))
    assert only.name not in hidden and "There is no campaign that you may see" in hidden


def test_an_empty_network_says_what_to_do_next(network, personas):
    page = text_of(sign_in(personas.member).get("/"))
    assert "New advertiser" in page and "manage.py demo" in page
    assert "New campaign" in text_of(sign_in(personas.member).get(reverse("campaigns:list")))
