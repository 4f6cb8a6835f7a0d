"""Pages of lists: a batch's list from a file and by hand, do-not-call lists, carriers, results."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from outbound import actions
from outbound.models import Batch, BatchImport, BatchState, DoNotCallEntry, DoNotCallList
from portal.audit.models import AuditEvent
from tests.web.helpers import sign_in, text_of

from .conftest import at, delivery, numbers

pytestmark = pytest.mark.django_db


def test_a_list_is_uploaded_imported_and_its_refused_rows_are_a_file(house):
    client, draft = sign_in(house.people.member), house.batch(started=False)
    text = (
        "destination,name\n"
        + "".join(f"{number},A\n" for number in numbers(30))
        + "12,B\n"
        + numbers(1)[0]
        + ",again\n"
    )
    client.post(at("lists", draft.pk), {"file": SimpleUploadedFile("people.csv", text.encode())})
    job = BatchImport.objects.get()
    assert job.state == "waiting"
    part = client.get(at("lists", draft.pk), {"part": "imports"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "Waiting" in text_of(part)
    client.post(at("import-cancel", draft.pk, job.pk))
    job.refresh_from_db()
    assert job.state == "canceled"
    part = client.get(at("lists", draft.pk), {"part": "imports"}, headers={"HX-Request": "true"})
    assert part.status_code == 286


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "No column holds the numbers"),
        (b"destination,destination\n1,2\n", "stands twice"),
    ],
)
def test_a_wrong_file_is_refused_while_its_sender_looks(house, content, words):
    client, draft = sign_in(house.people.member), house.batch(started=False)
    answer = client.post(at("lists", draft.pk), {"file": SimpleUploadedFile("x.csv", content)})
    assert answer.status_code == 422 and words in text_of(answer)
    assert not BatchImport.objects.exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(house, settings):
    settings.OUTBOUND_UPLOAD_LIMIT = 1000
    client, draft = sign_in(house.people.member), house.batch(started=False)
    answer = client.post(
        at("lists", draft.pk), {"file": SimpleUploadedFile("x.csv", b"destination\n" + b"1" * 400_000)}
    )
    assert answer.status_code == 413 and "Split it" in text_of(answer)


def test_add_calls_to_a_live_batch(scene):
    client = sign_in(scene.people.member)
    page = client.post(at("lists", scene.batch.pk), {"numbers": "+13035559900\n" + scene.ended.number}, follow=True)
    text = text_of(page)
    assert "1 added" in text and "1 refused" in text
    assert BatchState.objects.get(pk=scene.batch.pk).pending == 10


def test_no_digits_that_are_sent_after_the_answer_stand_among_refused_rows(house):
    client, draft = sign_in(house.people.member), house.batch(started=False)
    lines = f"{numbers(1)[0]}\ntel:12;postd=4711#"
    page = client.post(at("lists", draft.pk), {"numbers": lines}, follow=True)
    assert "1 refused" in text_of(page) and "4711" not in page.content.decode()
    job = BatchImport.objects.create(batch=draft, file_name="x.csv", state="done")
    job.rejections.create(line=2, value="tel:12;postd=4711#", reason="not_a_number")
    file = b"".join(
        sign_in(house.people.observer).get(at("import-refused", draft.pk, job.pk)).streaming_content
    ).decode()
    assert "tel:12;postd=" in file and "4711" not in file


def test_a_carriers_page_names_what_is_wrong_with_a_change(house):
    client = sign_in(house.people.super)
    carrier = actions.carrier_create(
        by=None,
        network=house.network,
        kind="twilio",
        name="T",
        settings={"account_sid": "AC1"},
        secrets={"auth_token": "x"},
    )
    given = {"name": "T", "base_url": "", "account_sid": "AC1", "auth_token": "", "is_enabled": "on"}
    for change, words in (
        ({"name": "Simulator"}, "A carrier of this network is called"),
        ({"base_url": "https://mine.example"}, "give it again"),
        ({"calls_per_second": "0.001"}, "0.01 to 100 000"),
    ):
        answer = client.post(at("carrier", carrier.pk), given | change)
        assert answer.status_code == 422 and words in text_of(answer)
    assert client.post(at("carrier", carrier.pk), given).status_code == 302


def test_do_not_call_lists_by_hand_and_by_file(scene):
    client = sign_in(scene.people.manager)
    page = client.post(at("do-not-call"), {"name": "Never", "applies_to_all": "on"}, follow=True)
    found = DoNotCallList.objects.get()
    assert "Nobody is on this list yet" in text_of(page)
    file = SimpleUploadedFile("dnc.csv", "number;why\n(805) 555-0177;x\n+1900*;y\n".encode("utf-8-sig"))
    client.post(at("do-not-call-add", found.pk), {"patterns": "805 555 0178", "file": file, "note": "asked"})
    assert set(DoNotCallEntry.objects.values_list("pattern", flat=True)) == {"+18055550177", "+18055550178", "+1900*"}
    text = text_of(client.get(at("do-not-call-list", found.pk), {"q": "1805"}))
    assert "+18055550177" in text and "+1900*" not in text
    bad = client.post(at("do-not-call-add", found.pk), {"patterns": "+18055550179\nnope"})
    assert bad.status_code == 422 and "“nope” is neither" in text_of(bad) and DoNotCallEntry.objects.count() == 3
    client.post(at("do-not-call-remove", found.pk), {"pattern": "+1900*", "reason": ""})
    assert DoNotCallEntry.objects.count() == 3, "not without a reason"
    client.post(at("do-not-call-remove", found.pk), {"pattern": "+1900*", "reason": "a mistake"})
    assert DoNotCallEntry.objects.count() == 2
    assert AuditEvent.objects.get(event="do_not_call.remove").reason == "a mistake"
    client.post(at("do-not-call-delete", found.pk))
    assert not DoNotCallList.objects.exists()


def test_carriers_are_changed_by_super_and_never_tell_a_secret(scene):
    client = sign_in(scene.people.super)
    twilio = {"kind": "twilio", "name": "Main", "account_sid": "AC1", "auth_token": "very-secret", "is_enabled": "on"}
    client.post(at("carrier-new"), twilio)
    made = scene.network.carriers.get(name="Main")
    assert made.secret("auth_token") == "very-secret" and made.settings == {"account_sid": "AC1"}
    page = client.get(at("carrier", made.pk)).content.decode()
    assert "very-secret" not in page and "AC1" in page
    client.post(at("carrier", made.pk), {"name": "Main", "account_sid": "AC1", "lines": "7", "is_enabled": "on"})
    made.refresh_from_db()
    assert made.lines == 7 and made.secret("auth_token") == "very-secret", "left blank it stays"
    assert client.post(at("carrier-new"), {**twilio, "name": "Main"}).status_code == 422
    assert "very-secret" not in str(list(AuditEvent.objects.values_list("changes", flat=True)))


def test_results_are_replayed(scene):
    one = delivery(scene.batch, scene.ended, last_status=500, last_error="oops", tries=10)
    client = sign_in(scene.people.member)
    assert "oops" in text_of(client.get(at("deliveries", scene.batch.pk)))
    client.post(at("replay", scene.batch.pk, one.pk))
    one.refresh_from_db()
    assert one.state == "pending"
    assert "No result fits this filter" in text_of(client.get(at("deliveries", scene.batch.pk), {"state": "failed"}))


def test_the_signing_secret_of_results_is_shown_once(scene):
    Batch.objects.filter(pk=scene.batch.pk).update(result_url="https://example.com/results")
    client = sign_in(scene.people.member)
    assert "New signing secret" in text_of(client.get(at("deliveries", scene.batch.pk)))
    page = client.post(at("result-secret", scene.batch.pk))
    batch = Batch.objects.get(pk=scene.batch.pk)
    assert batch.signing_secret() in page.content.decode() and page["Cache-Control"] == "no-store"
    assert "whsec_" not in client.get(at("deliveries", scene.batch.pk)).content.decode()
    assert client.get(at("result-secret", scene.batch.pk)).status_code == 405
    watcher = sign_in(scene.people.observer)
    assert "New signing secret" not in text_of(watcher.get(at("deliveries", scene.batch.pk)))
    watcher.post(at("result-secret", scene.batch.pk))
    assert Batch.objects.get(pk=scene.batch.pk).signing_secret() == batch.signing_secret()
