"""The API of batches: from draft to stop; bad input, ETag, Idempotency-Key, versions, read-only tokens."""

import pytest

from outbound.api.common import batch_state
from outbound.models import Batch
from portal.audit.models import AuditEvent
from tests.api.conftest import codes

from .conftest import ANI, numbers

pytestmark = pytest.mark.django_db


def test_a_batch_from_draft_to_stop(house, api):
    made = api.post(
        "batches.json",
        {"name": "Spring", "ani": "805 555 0100", "calls_per_second": 2.5, "parameters": {"pin": "9", "a": 1}},
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert body["status"] == "draft" and body["ani"] == ANI and body["calls_per_second"] == 2.5
    assert body["parameters"] == {"pin": "•••", "a": 1} and body["counts"]["total"] == 0
    at = f"batches/{body['id']}"
    added = api.post(
        f"{at}/recipients.json", {"calls": [{"destination": one} for one in [*numbers(5), "12", numbers(1)[0]]]}
    )
    assert added.status_code == 201
    assert added.json()["added"] == 5
    assert [(one["line"], one["reason"]) for one in added.json()["refused"]] == [
        (6, "invalid_number"),
        (7, "duplicate"),
    ]
    preview = api.get(f"{at}/preview.json").json()
    assert preview["to_call"] == 5 and preview["zones"][0]["zones"] == ["America/Denver"] and preview["pace"] == 2.5
    started = api.post(f"{at}/start.json")
    assert started.status_code == 200 and started.json()["status"] == "running" and "warnings" in started.json()
    assert codes(api.post(f"{at}/start.json")) == [("wrong_status", None)]
    halted = api.post(f"{at}/pause.json", {"reason": "lunch"}).json()
    assert halted["status"] == "paused" and halted["pause_reason"] == "lunch" and halted["never_started"] == 5
    assert api.post(f"{at}/resume.json").json()["status"] == "running"
    stopped = api.post(f"{at}/stop.json", {"reason": "enough"})
    assert stopped.status_code == 200
    assert (stopped.json()["status"], stopped.json()["never_started"], stopped.json()["live"]) == ("stopping", 5, 0)
    assert stopped.json()["quiet"] is True
    assert codes(api.post(f"{at}/resume.json")) == [("wrong_status", None)]
    assert AuditEvent.objects.get(event="batch.stop").reason == "enough"


def test_hang_up_says_how_many_are_asked(scene, as_):
    answer = as_(scene.people.manager).post(f"batches/{scene.batch.pk}/hang_up.json")
    assert answer.status_code == 202 and answer.json() == {"asked": 1}


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"ani": "+18055559999"}, "foreign_ani", "ani"),
        ({"ani": "x"}, "invalid_phone_number", "ani"),
        ({"name": 5}, "invalid", "name"),
        ({"nmae": "x"}, "unknown_field", "nmae"),
        ({"max_attempts": 11}, "out_of_range", "max_attempts"),
        ({"retry_interval": 59}, "out_of_range", "retry_interval"),
        ({"retries": {"answered": {"count": 1}}}, "unknown_outcome", "retries.answered"),
        ({"hours": {"monday_open": 0}}, "required", "hours.monday_closed"),
        ({"hours": {"noday_open": 0}}, "unknown_field", "hours.noday_open"),
        ({"holidays": ["2026-13-01"]}, "not_a_date", "holidays"),
        (
            {"starts_at": "2031-01-02T00:00:00Z", "expires_at": "2031-01-01T00:00:00Z"},
            "expires_before_start",
            "expires_at",
        ),
        ({"starts_at": "soon"}, "invalid", "starts_at"),
        ({"result_url": "https://u:p@example.com"}, "secret_in_address", "result_url"),
        ({"do_not_call_lists": [999]}, "unknown_list", "do_not_call_lists"),
        ({"carrier": 999_999}, "unknown_carrier", "carrier"),
        ({"calls_per_second": -1}, "out_of_range", "calls_per_second"),
    ],
)
def test_bad_input_names_its_field_and_writes_nothing(house, api, values, code, field):
    answer = api.post("batches.json", {"name": "A", "ani": ANI, **values})
    assert answer.status_code == 422, answer.content
    assert (code, field) in codes(answer), codes(answer)
    assert not Batch.objects.exists()


def test_a_result_url_on_loopback_is_refused_at_the_start(house, api, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    made = api.post("batches.json", {"name": "A", "ani": ANI, "result_url": "http://127.0.0.1:1/r"}).json()
    api.post(f"batches/{made['id']}/recipients.json", {"calls": [{"destination": numbers(1)[0]}]})
    answer = api.post(f"batches/{made['id']}/start.json")
    assert answer.status_code == 422 and codes(answer) == [("private_address", "result_url")]
    assert Batch.objects.get().status == "draft"


def test_etag_and_if_match(house, api):
    made = api.post("batches.json", {"name": "A", "ani": ANI})
    at, tag = f"batches/{made.json()['id']}.json", made.headers["ETag"]
    assert api.get(at, If_None_Match=tag).status_code == 304
    house.add(Batch.objects.get(), numbers(2))
    assert api.get(at, If_None_Match=tag).status_code == 200, "counters have changed"
    changed = api.patch(at, {"name": "B"}, If_Match=tag)
    assert changed.status_code == 200 and changed.json()["name"] == "B", "but nobody has edited it"
    late = api.patch(at, {"name": "C"}, If_Match=tag)
    assert late.status_code == 412 and Batch.objects.get().name == "B"
    assert api.patch(at, {"priority": 9}).json()["priority"] == 9


def test_after_the_start_only_the_pace_and_the_like_change(scene, as_):
    api, at = as_(scene.people.member), f"batches/{scene.batch.pk}.json"
    assert api.patch(at, {"lines": 3, "calls_per_second": None}).json()["lines"] == 3
    answer = api.patch(at, {"ani": ANI})
    assert answer.status_code == 409 and codes(answer) == [("batch_started", "ani")]
    assert api.delete(at).status_code == 409
    assert api.delete(f"batches/{scene.draft.pk}.json").status_code == 204
    assert api.get(f"batches/{scene.draft.pk}.json").status_code == 404


def test_the_same_key_happens_once(house, api):
    first = api.post("batches.json", {"name": "A", "ani": ANI}, Idempotency_Key="k1")
    again = api.post("batches.json", {"name": "A", "ani": ANI}, Idempotency_Key="k1")
    assert first.json()["id"] == again.json()["id"] and again.headers["Idempotent-Replayed"] == "true"
    assert Batch.objects.count() == 1
    assert (
        codes(api.post("batches.json", {"name": "B", "ani": ANI}, Idempotency_Key="k1"))[0][0]
        == "idempotency_key_reused"
    )
    at = f"batches/{first.json()['id']}"
    calls = {"calls": [{"destination": one} for one in numbers(3)]}
    one, two = (api.post(f"{at}/recipients.json", calls, Idempotency_Key="k2") for _ in range(2))
    assert one.json() == two.json() and one.json()["added"] == 3


@pytest.mark.django_db(transaction=True)
def test_stop_with_a_key_commits_by_itself_and_repeats_its_answer(house, api):
    batch = house.batch(numbers(4))
    first = api.post(f"batches/{batch.pk}/stop.json", {"reason": "x"}, Idempotency_Key="s1")
    again = api.post(f"batches/{batch.pk}/stop.json", {"reason": "x"}, Idempotency_Key="s1")
    assert (
        first.status_code == again.status_code == 200
        and first.json()["never_started"] == again.json()["never_started"] == 4
    )
    assert again.headers["Idempotent-Replayed"] == "true"
    assert AuditEvent.objects.filter(event="batch.stop").count() == 1
    paused = house.batch(numbers(2, area="720"))
    assert api.post(f"batches/{paused.pk}/pause.json", {}, Idempotency_Key="p1").json()["status"] == "paused"


def test_older_versions_do_not_have_these(scene, as_):
    api = as_(scene.people.manager).old()
    assert api.get("batches.json").status_code == 404
    assert api.get(f"batches/{scene.batch.pk}/imports.json").status_code == 404


def test_a_read_only_token_only_reads(scene, as_):
    api = as_(scene.people.manager, read_only=True)
    assert api.get(f"batches/{scene.batch.pk}.json").status_code == 200
    assert codes(api.post(f"batches/{scene.batch.pk}/stop.json")) == [("token_read_only", None)]


# Single calls ------------------------------------------------------------------------------------------------------


def test_nobody_can_try_out_a_pin_against_the_etag(scene, settings):
    """It stands for hidden values too, so it is no plain digest of what its reader knows and a few digits."""
    before, key = batch_state(scene.batch), settings.SECRET_KEY
    assert batch_state(scene.batch) == before
    settings.SECRET_KEY = "another key"
    assert batch_state(scene.batch) != before
    settings.SECRET_KEY = key
    scene.batch.parameters = {**scene.batch.parameters, "pin": "1235"}
    assert batch_state(scene.batch) != before, "a changed PIN is a change"
