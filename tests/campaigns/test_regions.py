"""The region code by itself: prefixes to ranges, places in words, what is wrong with a region and the way out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.callers import number_key, prefix_range
from campaigns.choices import RegionType
from campaigns.models import AreaPrefix
from campaigns.regions import (
    STATES,
    ZONES,
    is_everywhere,
    place_of,
    places_like,
    places_of,
    regions_clean,
    regions_compile,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("places")]

prefixes = st.text("0123456789", min_size=1, max_size=15).filter(lambda text: text[0] != "0")
numbers = st.text("0123456789", min_size=8, max_size=15).filter(lambda text: text[0] != "0")


def named(kind, value):
    return [{"name": "Covered", "regions": [{"region_type": kind, "value": value}]}]


def covers(ranges, number):
    return any(low <= number_key(number.lstrip("+")) < high for low, high in ranges)


@given(prefixes, numbers)
def test_a_number_lies_in_the_range_of_a_prefix_exactly_if_it_begins_with_it(prefix, number):
    low, high = prefix_range(prefix)
    padded = number.ljust(15, "0")
    assert (low <= number_key(number) < high) == padded.startswith(prefix)


@given(prefixes, prefixes)
def test_ranges_of_prefixes_are_nested_or_apart(one, two):
    (a, b), (c, d) = prefix_range(one), prefix_range(two)
    if one.startswith(two) or two.startswith(one):
        assert max(a, c) < min(b, d)
    else:
        assert min(b, d) <= max(a, c)


def test_without_regions_it_is_everywhere_and_with_an_empty_list_too():
    assert regions_compile([]) is None
    assert regions_compile([{"name": "Nothing yet", "regions": []}]) is None


@pytest.mark.parametrize("state", sorted({code for code in STATES.values() if code not in ("NU", "YT", "NT", "PE")}))
def test_every_state_has_area_codes_and_two_states_share_none(state):
    ranges = set(regions_compile(named("State", state)))
    assert ranges
    elsewhere = "CA" if state != "CA" else "CO"
    assert not ranges & set(regions_compile(named("State", elsewhere)))


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_has_area_codes(zone):
    assert regions_compile(named("Zone", zone.lower()))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(["805", "303", "720-555", "+44", "+4420", "212, 646", "(303) 555"]), min_size=1, max_size=4
    )
)
def test_several_regions_cover_what_each_covers(values):
    together = regions_compile(
        [{"name": value, "regions": [{"region_type": "Prefix", "value": value}]} for value in values]
    )
    alone = [regions_compile(named("Prefix", value)) for value in values]
    for number in (
        "+18055551234",
        "+13035551234",
        "+17205551234",
        "+17205561234",
        "+442079460000",
        "+441619460000",
        "+16465550000",
    ):
        assert covers(together, number) == any(covers(ranges, number) for ranges in alone)


@pytest.mark.parametrize(
    ("value", "inside", "outside"),
    [
        ("805", "+18055551234", "+18065551234"),
        ("720-555", "+17205551234", "+17205561234"),
        ("(720) 555", "+17205551234", "+17205561234"),
        ("805, 303", "+13035551234", "+17205551234"),
        ("+44", "+442079460000", "+4930123456"),
        ("+1805555", "+18055551234", "+18055561234"),
        ("+805", "+80512345678", "+18055551234"),
    ],
)
def test_prefixes_as_people_write_them(value, inside, outside):
    ranges = regions_compile(named("Prefix", value))
    assert covers(ranges, inside) and not covers(ranges, outside)


@pytest.mark.parametrize(
    ("kind", "value", "field", "code"),
    [
        ("Galaxy", "x", "named_regions.0.regions.0.region_type", "unknown_region_type"),
        (None, "x", "named_regions.0.regions.0.region_type", "unknown_region_type"),
        ("State", "Atlantis", "named_regions.0.regions.0.value", "unknown_region"),
        ("State", "", "named_regions.0.regions.0.value", "unknown_region"),
        ("City", "Denver", "named_regions.0.regions.0.value", "unknown_region"),
        ("City", ", CO", "named_regions.0.regions.0.value", "unknown_region"),
        ("Zone", "", "named_regions.0.regions.0.value", "unknown_region"),
        ("Prefix", "", "named_regions.0.regions.0.value", "unknown_region"),
        ("City", "Nowhere, CO", "named_regions.0.regions.0.value", "unknown_region"),
        ("Zone", "Lunar", "named_regions.0.regions.0.value", "unknown_region"),
        ("Country", "XX", "named_regions.0.regions.0.value", "unknown_region"),
        ("Prefix", "abc", "named_regions.0.regions.0.value", "unknown_region"),
        ("Prefix", "1" * 20, "named_regions.0.regions.0.value", "unknown_region"),
    ],
)
def test_an_unknown_region_is_named_with_its_path_and_the_way_out(kind, value, field, code):
    problems = []
    clean = regions_clean(named(kind, value), problems)
    ((found_field, found_code, message),) = problems
    assert (found_field, found_code) == (field, code)
    assert "use " in message
    assert clean == [{"name": "Covered", "regions": []}]


@pytest.mark.parametrize("broken", ["text", {"name": "No list"}, {"name": "", "regions": []}, {"regions": []}, None])
def test_a_named_region_needs_a_name_and_a_list(broken):
    problems = []
    assert regions_clean([broken], problems) == []
    assert problems[0][:2] == ("named_regions.0", "invalid")


def test_every_problem_is_reported_at_once():
    problems = []
    regions_clean([*named("State", "Atlantis"), *named("State", "CO"), *named("Zone", "Lunar")], problems)
    assert [field for field, _, _ in problems] == ["named_regions.0.regions.0.value", "named_regions.2.regions.0.value"]


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("+13035550123", "CO"),
        ("+12012000123", "Jersey City, NJ"),
        ("+442079460123", "GB"),
        (None, ""),
        ("", ""),
        ("+99900000", ""),
    ],
)
def test_where_a_number_belongs_in_words(number, place):
    assert place_of(number) == place


def test_many_places_take_one_query(django_assert_num_queries):
    many = [f"+1303555{index:04d}" for index in range(50)] + [None, "+442079460123", "+99900000"]
    with django_assert_num_queries(1):
        places = places_of(many)
    assert places["+13035550000"] == "CO" and places["+442079460123"] == "GB"
    assert "+99900000" not in places and None not in places
    with django_assert_num_queries(0):
        assert places_of([None, ""]) == {}


def test_a_whole_country_is_noticed():
    assert is_everywhere(named("Country", "us"), "US")
    assert not is_everywhere(named("Country", "CA"), "US")
    assert not is_everywhere(named("State", "CO"), "US")


def test_city_suggestions_begin_with_what_was_typed():
    found = places_like("denv")
    assert "Denver, CO" in found and all(city.lower().startswith("denv") for city in found)
    assert len(places_like("a", limit=5)) == 5


def test_every_kind_has_reference_data():
    assert set(RegionType.values) == {"Zone", "City", "State", "Country", "Prefix"}
    assert AreaPrefix.objects.filter(level="country").count() > 200
    assert AreaPrefix.objects.filter(level="area").count() > 400
    assert AreaPrefix.objects.filter(level="exchange").count() > 10_000
