"""The condition language: what it reads, how it writes it, what it means, and how it says no."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.treatment.conditions import MAX_DEPTH, MAX_LENGTH, ConditionError, parse
from campaigns.treatment.expressions import AllOf, AnyOf, Context, Not, Word
from campaigns.treatment.truth import constant

from .trees import conditions

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)  # a Monday


def holds(text, **known):
    return parse(text).holds(Context(now=known.pop("now", NOON), **known))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("  \n\t ", ""),
        ("DURING_HOURS", "during_hours"),
        ("mobile or in_region and during_hours", "mobile or in_region and during_hours"),
        ("mobile or (in_region and during_hours)", "mobile or in_region and during_hours"),
        ("(mobile or repeat) and during_hours", "(mobile or repeat) and during_hours"),
        ("mobile and (repeat and landline)", "mobile and repeat and landline"),
        ("not not mobile", "not not mobile"),
        ("not (mobile or repeat)", "not (mobile or repeat)"),
        ("in_region[ West Coast ]", "in_region[West Coast]"),
        ('in_region["a ] b"]', 'in_region["a ] b"]'),
        ("pressed[a 1]", "pressed[A 1]"),
        ("duration >= 1 min 30 sec", "duration >= 1 min 30 sec"),
        ("duration >= 90", "duration >= 1 min 30 sec"),
        ("connect_duration < 2h", "connect_duration < 2 hours"),
        ("duration = 0", "duration = 0 sec"),
        ('custom_data[plan] = "Gold"', 'custom_data[plan] = "Gold"'),
        (r'media_type contains "a \"b\" \\ c"', r'media_type contains "a \"b\" \\ c"'),
        ("affiliate_name present", "affiliate_name present"),
        ('promo_number_description != "TV"', 'promo_number_description != "TV"'),
    ],
)
def test_a_condition_has_one_written_form(text, canonical):
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def test_and_binds_tighter_than_or():
    mobile, repeat, landline = Word("mobile"), Word("repeat"), Word("landline")
    assert parse("mobile or repeat and landline") == AnyOf((mobile, AllOf((repeat, landline))))
    assert parse("not mobile and repeat") == AllOf((Not(mobile), repeat))


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("", {}, True),
        ("during_hours", {}, True),
        ("during_hours", {"hours": {}}, False),
        (
            "during_hours",
            {"hours": {"monday_open": 18_000, "monday_closed": 21_600}, "time_zone": "America/New_York"},
            False,
        ),
        (
            "during_hours",
            {"hours": {"monday_open": 25_200, "monday_closed": 28_800}, "time_zone": "America/New_York"},
            True,
        ),
        ("during_hours", {"hours": {"sunday_open": 79_200, "sunday_closed": 140_000}}, True),
        ("in_region[West]", {"regions": frozenset({"West"})}, True),
        ("in_region[East]", {"regions": frozenset({"West"})}, False),
        ("in_region", {"regions": frozenset({"West"})}, True),
        ("in_region", {}, False),
        ("repeat", {"repeat": True}, True),
        ("mobile", {"line": "mobile"}, True),
        ("mobile or landline", {"line": ""}, False),
        ("landline", {"line": "landline"}, True),
        ("pressed[3]", {"pressed": ("3", "1")}, True),
        ("pressed[3 1]", {"pressed": ("3", "1")}, True),
        ("pressed[3 1]", {"pressed": ("3",)}, False),
        ("pressed[1]", {"pressed": ("3", "1")}, False),
        ("duration >= 1 min", {"duration": 60}, True),
        ("duration < 1 min", {"duration": 60}, False),
        ("duration = 60", {"duration": 60.7}, True),
        ("connect_duration != 5", {"connect_duration": 4}, True),
        ("connect_duration > 5", {"connect_duration": 5.1}, True),
        ("duration <= 5", {"duration": 5}, True),
        ('custom_data[f] = "gold"', {"custom_data": {"f": "GOLD"}}, True),
        ('custom_data[f] != "x"', {}, True),
        ("custom_data[f] present", {}, False),
        ('custom_data[f] contains "ol"', {"custom_data": {"f": "Gold"}}, True),
        ('custom_data[f] contains ""', {}, False),
        ('media_type = "Online: Display"', {"media_type": "online: display"}, True),
        ("affiliate_name present", {"affiliate_name": "Acme"}, True),
        ('promo_number_description contains "tv"', {"promo_number_description": "Cable TV"}, True),
        ("not (mobile or repeat)", {"line": "mobile"}, False),
        ("sms_sent", {"sms_sent": True}, True),
    ],
)
def test_what_conditions_mean(text, known, expected):
    assert holds(text, **known) is expected


def test_hours_follow_the_clock_of_their_zone_over_a_change():
    hours = {"sunday_open": 3600, "sunday_closed": 7200}
    # 01:30 stands on the clock twice that night.
    for utc in (5, 6):
        at = datetime(2026, 11, 1, utc, 30, tzinfo=UTC)
        assert holds("during_hours", now=at, hours=hours, time_zone="America/New_York")
    assert not holds(
        "during_hours", now=datetime(2026, 11, 1, 7, 30, tzinfo=UTC), hours=hours, time_zone="America/New_York"
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("durring_hours", 1, 1, "did you mean “during_hours”"),
        ("mobile and", 1, 11, "ends too early"),
        ("mobile\nand nonsense", 2, 5, "“nonsense” cannot stand here"),
        ("(mobile", 1, 8, "“)” is missing"),
        ("mobile)", 1, 7, "expected the end"),
        ("mobile repeat", 1, 8, "expected"),
        ('custom_data = "x"', 1, 13, "a name in square brackets"),
        ("custom_data[ ] present", 1, 12, "empty"),
        ("in_region[west", 1, 10, "not closed"),
        ('media_type = "x', 1, 14, "not closed"),
        ('media_type = "a\\n"', 1, 14, "followed by neither"),
        ("media_type = x", 1, 14, "a text in double quotes"),
        ("pressed[x]", 1, 8, "Keys are 0 to 9"),
        ("pressed[]", 1, 8, "Keys are 0 to 9"),
        ("duration 5", 1, 10, "“>=”"),
        ("duration > 5 min 3", 1, 19, "missing"),
        ("duration >= 99999999999999", 1, 13, "longer than a week"),
        ("§", 1, 1, "“§” cannot stand here"),
    ],
)
def test_an_error_points_at_the_place(text, line, column, says):
    with pytest.raises(ConditionError) as refused:
        parse(text)
    error = refused.value
    assert (error.line, error.column) == (line, column), str(error)
    assert says in str(error)
    assert error.expected
    assert str(error).startswith(f"Line {line}, column {column}: ")


def test_length_and_depth_have_bounds():
    with pytest.raises(ConditionError, match=f"{MAX_LENGTH} characters at most"):
        parse("mobile or " * MAX_LENGTH)
    with pytest.raises(ConditionError, match=f"more than {MAX_DEPTH} deep"):
        parse("not " * (MAX_DEPTH + 1) + "mobile")
    assert parse("not " * (MAX_DEPTH - 1) + "mobile")
    with pytest.raises(ConditionError, match="deep"):
        parse("not (" * 200 + "mobile" + ")" * 200)
    assert parse("(" * 300 + "mobile" + ")" * 300) == Word("mobile"), "brackets alone nest nothing"


@given(conditions)
def test_what_is_written_is_read_back(condition):
    assert parse(str(condition)) == condition
    assert str(parse(str(condition))) == str(condition)


VOCABULARY = (
    "during_hours repeat mobile in_region [x] pressed [3] duration custom_data [f] = != contains present >= 5 min sec and "
    'or not ( ) "text" " \\ 1h , ;'
)
words = st.sampled_from(VOCABULARY.split())


@given(st.text(max_size=80) | st.lists(words, max_size=14).map(" ".join))
def test_any_text_is_a_condition_or_an_error_with_its_place(text):
    try:
        condition = parse(text)
    except ConditionError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert error.message and error.expected
    else:
        assert parse(str(condition)) == condition
        assert condition.holds(Context(now=NOON)) in (True, False)


@pytest.mark.parametrize(
    ("text", "always"),
    [
        ("", True),
        ("mobile", None),
        ("mobile and landline", False),
        ("mobile or not mobile", True),
        ("duration >= 0", True),
        ("duration < 0 sec", False),
        ("duration > 5 and duration < 3", False),
        ("duration > 5 or duration < 30", True),
        ("pressed[3] and pressed[2]", False),
        ("pressed[3 1] and not pressed[3]", False),
        ("pressed[3] and not pressed[3 1]", None),
        ('media_type = "A" and media_type = "b"', False),
        ('media_type != "A" or media_type = "a"', True),
        ('media_type contains "x" and not media_type present', False),
        ('custom_data[a] = "1" and custom_data[b] = "2"', None),
        ("in_region[a] and not in_region", False),
    ],
)
def test_what_is_always_so_is_seen(text, always):
    assert constant(parse(text)) is always


@given(conditions, st.data())
def test_what_is_shown_to_be_always_so_is_so_for_any_call(condition, data):
    shown = constant(condition)
    if shown is None:
        return
    texts = st.sampled_from(["", "a", "A b"])
    context = Context(
        now=NOON, repeat=data.draw(st.booleans()), line=data.draw(st.sampled_from(["", "mobile", "landline"])),
        hours=data.draw(st.sampled_from([None, {}])), duration=data.draw(st.floats(0, 1000)),
        pressed=tuple(data.draw(st.lists(st.sampled_from("01AW"), max_size=3))), media_type=data.draw(texts),
    )  # fmt: skip
    assert condition.holds(context) is shown
