"""The base page, lists, summaries and the dashboard: who sees what, and what it costs."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns import actions
from campaigns.models import Campaign, CampaignHour, DestinationState
from campaigns.queries.lint import lint
from campaigns.queries.summaries import bundle_rows
from portal.audit.models import AuditEvent
from tests.factories import (
    AdvertiserFactory,
    BundleFactory,
    CampaignFactory,
    bundle_of,
    cap,
    destinations,
)
from tests.web.helpers import first_of, sign_in, text_of

pytestmark = pytest.mark.django_db


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
    addresses += [reverse("campaigns:wizard", args=[bundle.pk]), reverse("campaigns:destination-add", args=[bundle.pk])]
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
    items = [item for group in sidebar(request) for item in group["items"]]
    links = [item["link"] for item in items if item.get("permission", lambda request: True)(request)]
    assert len(links) >= 8
    for link in links:
        assert client.get(link).status_code in (200, 302), link


def test_sign_out_is_a_post(bundle, personas):
    body = sign_in(personas.observer).get("/").content.decode()
    assert '<form method="post" action="/accounts/logout/">' in body


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
