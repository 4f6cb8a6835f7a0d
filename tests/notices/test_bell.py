"""The bell: what is unread, whose it is, marking as read, and which notices come by mail."""

import pytest
from django.urls import reverse
from promo_numbers.models import Contract  # noqa: F401 - the app declares the kinds that are switched here

from portal.errors import Invalid
from portal.notices import actions, kinds, queries
from portal.notices.models import Notice, NoticePreference
from tests.web.helpers import sign_in, text_of

pytestmark = pytest.mark.django_db


def tell(user, kind="limit_request.decided", title="Approved: 10 more numbers", **values):
    actions.notify(users=[user], kind=kind, title=title, **values)
    return Notice.objects.filter(user=user).first()


@pytest.fixture
def member(personas):
    return personas.member


@pytest.fixture
def client(member):
    return sign_in(member)


def test_the_bell_counts_ones_own_unread_notices(client, member, personas):
    for number in range(3):
        tell(member, title=f"Number {number}")
    tell(personas.manager)
    assert 'aria-label="Notices, 3 unread"' in client.get("/notices/").content.decode()
    client.post(reverse("notices:read", args=[Notice.objects.filter(user=member).first().pk]))
    assert 'aria-label="Notices, 2 unread"' in client.get("/campaigns/").content.decode()


def test_more_than_99_are_not_counted_on(client, member):
    Notice.objects.bulk_create(Notice(user=member, kind="x.y", title="Hello") for _ in range(150))
    assert queries.unread_count(member) == 100
    page = client.get("/notices/").content.decode()
    assert "99+" in page and "more than 99 unread" in page


def test_the_newest_are_a_part(client, member):
    for number in range(12):
        tell(member, title=f"Notice {number}")
    said = client.get("/notices/?part=newest", headers={"HX-Request": "true"})
    assert said["Cache-Control"] == "no-store"
    assert "Notice 11" in text_of(said) and "Notice 4" in text_of(said) and "Notice 3" not in text_of(said)
    assert "<h1" not in said.content.decode()


def test_opening_one_marks_it_and_leads_there(client, member):
    notice = tell(member, link="/campaigns/")
    answer = client.post(reverse("notices:read", args=[notice.pk]), {"open": "1"})
    assert (answer.status_code, answer["Location"]) == (302, "/campaigns/")
    notice.refresh_from_db()
    assert notice.read_at is not None


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_it_leads_nowhere_else(client, member, address):
    notice = tell(member, link=address)
    for data in ({"open": "1"}, {"next": address}):
        assert client.post(reverse("notices:read", args=[notice.pk]), data)["Location"] == "/notices/"


def test_nothing_is_marked_by_get(client, member):
    notice = tell(member)
    for name, args in (("notices:read", [notice.pk]), ("notices:all-read", [])):
        assert client.get(reverse(name, args=args)).status_code == 405
    assert queries.unread_count(member) == 1


def test_all_read_are_only_ones_own(client, member, personas):
    tell(member)
    tell(personas.manager)
    client.post(reverse("notices:all-read"))
    assert (queries.unread_count(member), queries.unread_count(personas.manager)) == (0, 1)


def test_somebody_elses_notice_is_not_found(client, personas):
    notice = tell(personas.manager, body="A secret")
    assert client.post(reverse("notices:read", args=[notice.pk])).status_code == 404
    assert "secret" not in text_of(client.get("/notices/"))
    notice.refresh_from_db()
    assert notice.read_at is None


def test_whoever_is_not_signed_in_is_led_to_the_sign_in(db, client):
    client.logout()
    assert client.get("/notices/").status_code == 302
    answer = client.get("/notices/?part=newest", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (401, "true")


def test_pages_of_notices_cost_the_same(client, member, django_assert_max_num_queries):
    def queries_of(path):
        with django_assert_max_num_queries(15) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    tell(member)
    before = queries_of("/notices/")
    Notice.objects.bulk_create(Notice(user=member, kind="x.y", title=f"N {number}") for number in range(120))
    assert queries_of("/notices/") == before
    page = client.get("/notices/")
    assert "Next" in text_of(page)
    assert text_of(client.get("/notices/?show=unread")).count("Mark as read") == 50


def test_the_count_is_one_statement(member, django_assert_num_queries):
    with django_assert_num_queries(1):
        queries.unread_count(member)


# By mail --------------------------------------------------------------------------------------------------------------


def test_switching_a_kind_off_keeps_it_under_the_bell(client, member):
    wanted = [kind.prefix or "*" for kind in kinds.declared() if kind.prefix != "limit_request"]
    client.post(reverse("notices:settings"), {"by_mail": wanted})
    assert NoticePreference.objects.get().kind == "limit_request"
    assert tell(member).by_mail is False
    assert tell(member, kind="number_limit.raised").by_mail is True
    page = client.get(reverse("notices:settings")).content.decode()
    assert page.count(" checked") == len(kinds.declared()) - 1


def test_the_longest_prefix_decides(member, personas):
    NoticePreference.objects.create(user=member, kind="", by_mail=False)
    NoticePreference.objects.create(user=member, kind="limit_request", by_mail=True)
    NoticePreference.objects.create(user=member, kind="limit_request.asked", by_mail=False)
    said = {
        kind: actions.without_mail([member.pk, personas.manager.pk], kind)
        for kind in ("limit_request.decided", "limit_request.asked", "limit_requests.other", "cap.alert")
    }
    assert said == {
        "limit_request.decided": set(), "limit_request.asked": {member.pk}, "limit_requests.other": {member.pk},
        "cap.alert": {member.pk},
    }  # fmt: skip


def test_an_unknown_kind_is_refused(member):
    with pytest.raises(Invalid):
        actions.preferences_set(by=member, by_mail={"no.such": False})
    assert not NoticePreference.objects.exists()


def test_the_same_key_is_told_once(member):
    for _ in range(3):
        actions.notify(users=[member, member], kind="x.y", title="Once", key="k1")
    assert Notice.objects.filter(user=member).count() == 1
