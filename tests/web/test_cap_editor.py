"""Budget and Call Caps Alerts: who may edit, what is read-only and why; nothing is written by a refusal."""

import pytest
from django.urls import reverse

from campaigns import actions
from campaigns.models import Cap, DestinationState
from tests.factories import (
    CampaignFactory,
)
from tests.web.helpers import first_of, sign_in, text_of

pytestmark = pytest.mark.django_db


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
    budget, calls, concurrent = response.context["cap_forms"]
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
        assert all(field.disabled for form in response.context["cap_forms"] for field in form.fields.values())
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
    assert [form.kind for form in response.context["cap_forms"]] == ["budget", "periodic_calls"]
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
