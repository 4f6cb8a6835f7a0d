"""Callers' numbers: the layouts that switches send, withheld ones, and what is no number."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.callers import KEY_DIGITS, NotANumber, caller_read, e164, number_key, pretty

digit = st.sampled_from("0123456789")
nanp = st.builds(
    lambda a, b, c, d, rest: f"{a}{b}{c}{d}{rest}",
    st.sampled_from("23456789"), st.text("0123456789", min_size=2, max_size=2), st.sampled_from("23456789"),
    st.text("0123456789", min_size=2, max_size=2), st.text("0123456789", min_size=4, max_size=4),
)  # fmt: skip
LAYOUTS = (
    "{a}{b}{c}",
    "1{a}{b}{c}",
    "+1{a}{b}{c}",
    "({a}) {b}-{c}",
    "({a}){b}-{c}",
    "{a}-{b}-{c}",
    "{a}.{b}.{c}",
    "+1 {a} {b} {c}",
    "1-{a}-{b}-{c}",
    "+1 ({a}) {b}-{c}",
)


@given(nanp, st.sampled_from(LAYOUTS), st.sampled_from(["", " ", "  "]))
def test_every_north_american_layout_is_the_same_number(digits, layout, space):
    text = space + layout.format(a=digits[:3], b=digits[3:6], c=digits[6:]) + space
    assert e164(text, "US") == f"+1{digits}"


@given(nanp, st.sampled_from(["US", "CA", "PR"]))
def test_the_fast_way_says_what_the_library_says(digits, country):
    library = phonenumbers.parse(digits, country)
    assert e164(digits, country) == phonenumbers.format_number(library, phonenumbers.PhoneNumberFormat.E164)


@given(st.text(max_size=30))
def test_any_text_is_a_number_withheld_or_refused_and_never_crashes(text):
    try:
        caller = caller_read(text)
    except NotANumber:
        return
    if caller.e164 is None:
        assert caller.key is None
    else:
        assert caller.e164.startswith("+") and 4 <= len(caller.e164) <= 16
        assert caller.key == number_key(caller.e164[1:])
        assert caller_read(caller.e164) == caller, "what it gave is read as itself"


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("+442079460123", "US", "+442079460123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("+49 30 123456", "US", "+4930123456"),
        ("011 44 20 7946 0123", "US", "+442079460123"),
        ("tel:+1-303-555-0123", "US", "+13035550123"),
    ],
)
def test_other_countries(raw, country, expected):
    assert e164(raw, country) == expected


@pytest.mark.parametrize(
    "word",
    [
        None,
        "",
        "  ",
        "anonymous",
        "Anonymous",
        "RESTRICTED",
        "unavailable",
        "private",
        "266696687",
        "+266696687",
        "7378742833",
    ],
)
def test_withheld_numbers(word):
    caller = caller_read(word)
    assert (caller.e164, caller.key) == (None, None)
    assert caller.given == (word or "").strip()


@pytest.mark.parametrize(
    "raw", ["banana", "12", "+1", "303-555", "+1303555012345678901", "sip:alice@example.com", "911", "=1+1"]
)
def test_what_is_no_number_is_refused(raw):
    with pytest.raises(NotANumber):
        caller_read(raw)


@given(st.text("123456789", min_size=1, max_size=KEY_DIGITS), digit)
def test_keys_keep_the_order_of_digits_as_text(digits, more):
    assert number_key(digits) <= number_key((digits + more)[:KEY_DIGITS])
    assert len(str(number_key(digits))) == KEY_DIGITS


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+13035550123", "(303) 555-0123"),
        ("+442079460123", "+44 20 7946 0123"),
        (None, "withheld"),
        ("", "withheld"),
        ("+1", "+1"),
    ],
)
def test_numbers_as_people_write_them(number, words):
    assert pretty(number) == words
