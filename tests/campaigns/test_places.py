"""Regions on the caller's number, as routing sees them."""

import pytest

from campaigns import actions
from campaigns.regions import place_of
from portal.errors import Invalid
from tests.factories import bundle_of, changed, destinations

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("places")]


def _region(kind, value):
    return [{"name": "Covered", "regions": [{"region_type": kind, "value": value}]}]


@pytest.mark.parametrize(
    ("kind", "value", "inside", "outside"),
    [
        ("State", "CO", "+13035550123", "+12125550123"),
        ("State", "colorado", "+17205550123", "+18015550123"),
        ("City", "Jersey City, NJ", "+12012000123", "+12125550123"),
        ("Zone", "Mountain", "+13035550123", "+12125550123"),
        ("Country", "US", "+13035550123", "+14165550123"),
        ("Country", "CA", "+14165550123", "+13035550123"),
        ("Country", "GB", "+442079460123", "+13035550123"),
        ("Prefix", "805, 720-555", "+17205550123", "+17205560123"),
        ("Prefix", "+4420", "+442079460123", "+441619460123"),
    ],
)
def test_a_call_is_in_region_by_its_number(kind, value, inside, outside):
    (only,) = destinations(1)
    changed(only, named_regions=_region(kind, value))
    bundle = bundle_of(only)
    taken = actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=inside)
    passed = actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=outside)
    assert (taken.destination_id, passed.refusal) == (only.pk, "out_of_region")
    withheld = actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=None)
    assert withheld.refusal == "out_of_region"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("State", "Atlantis"),
        ("City", "Denver"),
        ("Zone", "Lunar"),
        ("Country", "XX"),
        ("Prefix", "abc"),
        ("Planet", "Mars"),
    ],
)
def test_an_unknown_region_names_its_field_and_writes_nothing(kind, value):
    (only,) = destinations(1)
    with pytest.raises(Invalid) as refused:
        changed(only, named_regions=_region(kind, value))
    assert refused.value.field.startswith("named_regions.0.regions.0")
    only.refresh_from_db()
    assert only.named_regions == []


def test_a_caller_s_place_in_words():
    assert place_of("+12012000123") == "Jersey City, NJ"
    assert place_of("+13035550123") == "CO"
    assert place_of("+442079460123") == "GB"
    assert place_of(None) == ""
