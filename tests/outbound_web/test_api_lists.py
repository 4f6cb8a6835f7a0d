"""The API of lists and results: a CSV as the body, do-not-call lists, deliveries with replay."""

import pytest

from outbound import actions
from outbound.models import DoNotCallEntry
from tests.api.conftest import codes

from .conftest import delivery, numbers

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_list_is_the_body(house, as_):
    api, batch = as_(house.people.member), house.batch(started=False)
    text = "phone;zone\n" + "".join(f"{one};America/Denver\n" for one in numbers(50)) + "nope;\n"
    sent = api.send(
        "POST",
        f"batches/{batch.pk}/imports.json?file_name=a.csv&time_zone_column=zone",
        body=text.encode(),
        content_type="text/csv",
    )
    assert sent.status_code == 202, sent.content
    job = sent.json()
    assert job["state"] == "waiting" and job["size"] == len(text)
    actions.import_run(job=job["id"])
    body = api.get(f"batches/{batch.pk}/imports/{job['id']}.json").json()
    assert (body["state"], body["rows_added"], body["rows_refused"], body["percent"]) == ("done", 50, 1, 100)
    assert codes(api.post(f"batches/{batch.pk}/imports/{job['id']}/cancel.json")) == [("import_ended", None)]
    bad = api.send("POST", f"batches/{batch.pk}/imports.json", body=b"a,b\n1,2\n", content_type="text/csv")
    assert codes(bad) == [("no_number_column", "columns")]
    empty = api.send("POST", f"batches/{batch.pk}/imports.json", body=b"", content_type="text/csv")
    assert empty.status_code in (411, 422)
    assert api.post(f"batches/{batch.pk}/imports.json", {"a": 1}).status_code == 415
    canceled = api.send("POST", f"batches/{batch.pk}/imports.json", body=text.encode(), content_type="text/csv").json()
    assert api.post(f"batches/{batch.pk}/imports/{canceled['id']}/cancel.json").json()["state"] == "canceled"


def test_a_list_over_the_limit_is_refused_unread(house, as_, settings):
    settings.OUTBOUND_UPLOAD_LIMIT = 100
    api, batch = as_(house.people.member), house.batch(started=False)
    sent = api.send("POST", f"batches/{batch.pk}/imports.json", body=b"x" * 101, content_type="text/csv")
    assert sent.status_code == 413 and sent.json()["details"] == {"limit_bytes": 100}


def test_do_not_call_lists(house, as_):
    api = as_(house.people.manager)
    made = api.post("do_not_call_lists.json", {"name": "Never"}).json()
    at = f"do_not_call_lists/{made['id']}"
    assert api.post(f"{at}/entries.json", {"patterns": ["(805) 555-0177", "+1900*"], "note": "x"}).json() == {
        "count": 2
    }
    bad = api.post(f"{at}/entries.json", {"patterns": ["+18055550178", "no", "neither"]})
    assert [code for code, _ in codes(bad)] == ["invalid_pattern"] * 2 and DoNotCallEntry.objects.count() == 2
    assert {row["pattern"] for row in api.get(f"{at}/entries.json").json()["results"]} == {"+18055550177", "+1900*"}
    assert codes(api.post(f"{at}/entries/remove.json", {"patterns": ["+1900*"]})) == [("required", "reason")]
    assert api.post(f"{at}/entries/remove.json", {"patterns": ["+1900*"], "reason": "mistake"}).json() == {"count": 1}
    batch = house.batch(started=False)
    api.patch(f"batches/{batch.pk}.json", {"do_not_call_lists": [made["id"]]})
    assert codes(api.delete(f"{at}.json")) == [("list_in_use", None)]
    api.patch(f"batches/{batch.pk}.json", {"do_not_call_lists": []})
    assert api.delete(f"{at}.json").status_code == 204
    assert api.get("do_not_call_lists/99.json").status_code == 404


def test_results_with_replay(scene, as_):
    one = delivery(scene.batch, scene.ended, last_status=500, last_error="oops")
    api, at = as_(scene.people.member), f"batches/{scene.batch.pk}/deliveries"
    (row,) = api.get(f"{at}.json?state=failed").json()["results"]
    assert row["last_status"] == 500 and row["message_id"] == str(one.message_id)
    replayed = api.post(f"{at}/{one.pk}/replay.json")
    assert replayed.status_code == 202 and replayed.json()["state"] == "pending"
    assert codes(api.post(f"{at}/{one.pk}/replay.json")) == [("delivery_pending", None)]


def test_the_signing_secret_is_given_once_and_kept_nowhere(house, as_):
    batch = house.batch(started=False)
    api = as_(house.people.member)
    answer = api.post(f"batches/{batch.pk}/result_secret.json", headers={"Idempotency-Key": "again"})
    assert answer.status_code == 201 and answer["Cache-Control"] == "no-store"
    secret = answer.json()["result_secret"]
    batch.refresh_from_db()
    assert batch.signing_secret() == secret
    second = api.post(f"batches/{batch.pk}/result_secret.json", headers={"Idempotency-Key": "again"})
    assert second.json()["result_secret"] != secret, "no answer with a secret is kept to be given again"
    assert secret not in api.get(f"batches/{batch.pk}.json").text
    assert as_(house.people.observer).post(f"batches/{batch.pk}/result_secret.json").status_code == 403
    assert as_(house.people.outsider).post(f"batches/{batch.pk}/result_secret.json").status_code == 404
