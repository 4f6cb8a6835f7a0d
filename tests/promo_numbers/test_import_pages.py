"""The pages of imports: sending a file, watching it, its refused rows."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, NumberImport, NumberImportRefusal

from campaigns.actions import access_grant
from portal.accounts.models import Membership
from portal.accounts.roles import Role
from tests.factories import MembershipFactory
from tests.web.calls import text_of as raw_of
from tests.web.helpers import sign_in, text_of

from .importing import done, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]


def upload(client, text, **query):
    file = SimpleUploadedFile("flyers.csv", text.encode() if isinstance(text, str) else text, "text/csv")
    return client.post(reverse("numbers:import-new", query=query or None), {"file": file})


def test_the_page_from_the_file_to_the_refused_rows(scene):
    client = sign_in(scene.people.member)
    response = upload(client, "description\nFlyer\n\nSpot\n", campaign=scene.roofing.pk)
    job = NumberImport.objects.get()
    assert response.status_code == 302 and response["Location"] == reverse("numbers:import", args=[job.pk])
    page = client.get(response["Location"])
    assert "0 of 2 rows dealt with" in text_of(page) and 'hx-trigger="every 1s' in page.content.decode()
    part = client.get(response["Location"], {"part": "progress"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "HX-Refresh" not in part.headers
    CampaignNumbers.objects.filter(pk=scene.roofing.pk).update(allowed=1)
    done(job)
    part = client.get(response["Location"], {"part": "progress"}, headers={"HX-Request": "true"})
    assert part.status_code == 286 and part.headers["HX-Refresh"] == "true"
    page = client.get(response["Location"])
    assert "data-live" not in page.content.decode(), "nothing is asked again once it has ended"
    assert "1 added" in text_of(page) and "1 refused" in text_of(page) and "promo number limit" in text_of(page)
    assert "flyers.csv" in text_of(client.get(reverse("numbers:imports")))


def test_a_wrong_file_is_explained_on_the_form(scene):
    client = sign_in(scene.people.member)
    response = upload(client, "colour,size\nred,4\n")
    assert (
        response.status_code == 422 and "missing: campaign, description" in response.context["form"].errors["file"][0]
    )
    assert client.post(reverse("numbers:import-new")).status_code == 422
    assert not NumberImport.objects.exists()


def test_a_file_that_is_too_large_is_not_even_read(scene):
    client = sign_in(scene.people.member)
    response = client.post(
        reverse("numbers:import-new"), b"x", content_type="multipart/form-data; boundary=x",
        headers={"Content-Length": str(30 * 1024 * 1024)}, CONTENT_LENGTH=str(30 * 1024 * 1024),
    )  # fmt: skip
    assert response.status_code == 413 and "larger than 20 MB" in text_of(response)


def test_a_forged_upload_is_refused(scene):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(scene.people.member, backend="portal.accounts.backends.RoleAndGrantBackend")
    assert upload(client, "description,campaign\nA,roofing\n").status_code == 403
    assert not NumberImport.objects.exists()


def test_who_sees_and_cancels_an_import(scene):
    holder = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    access_grant(by=None, obj=scene.roofing, to=holder, action="manage_numbers")
    job = start(scene, "description,campaign\nA,roofing\n", by=holder)
    stock_job = start(scene, "number\n+13035550100\n", by=scene.people.staff, into_stock=True)
    page, cancel = (reverse(f"numbers:{name}", args=[job.pk]) for name in ("import", "import-cancel"))
    for user, seen in (
        (scene.people.limited, 404),
        (scene.people.observer, 404),
        (scene.people.outsider, 404),
        (scene.people.member, 200),
        (holder, 200),
        (scene.people.staff, 200),
    ):
        client = sign_in(user)
        assert client.get(page).status_code == seen
        assert client.get(reverse("numbers:import-refused", args=[job.pk])).status_code == seen
        if user != scene.people.staff:
            assert client.get(reverse("numbers:import", args=[stock_job.pk])).status_code == 404
    assert sign_in(scene.people.member).post(cancel).status_code == 403
    assert sign_in(scene.people.observer).post(cancel).status_code == 404
    assert sign_in(holder).get(cancel).status_code == 405
    assert sign_in(scene.people.manager).post(cancel).status_code == 302
    job.refresh_from_db()
    assert job.state == "canceled"


def test_who_left_the_network_sees_nothing_of_his_imports(scene):
    job = start(scene, "description,campaign\nA,roofing\n")
    Membership.objects.filter(user=scene.people.member).delete()
    assert sign_in(scene.people.member).get(reverse("numbers:import", args=[job.pk])).status_code == 404


def test_the_refused_rows_are_paginated(scene):
    job = start(scene, "description,campaign\nA,roofing\n")
    NumberImportRefusal.objects.bulk_create(
        NumberImportRefusal(job=job, line=n, row='{"a": "1"}', code="x", reason=f"Reason {n}") for n in range(2, 130)
    )
    actions.import_cancel(by=None, job=job)
    client = sign_in(scene.people.member)
    first = client.get(reverse("numbers:import", args=[job.pk])).context["page"]
    second = client.get(reverse("numbers:import", args=[job.pk]), {"after": first.after}).context["page"]
    assert first.rows[-1].line + 1 == second.rows[0].line == 52
    assert len(raw_of(client.get(reverse("numbers:import-refused", args=[job.pk]))).splitlines()) == 129
