"""The call list as CSV."""

import csv
import io

import pytest
from django.urls import reverse

from campaigns import actions
from campaigns.models import Call
from campaigns.pages import call_export
from campaigns.pages.call_export import safe

from .calls import CALLER, PROMO, client_of, place, tell, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_export_is_the_filtered_list(scene, personas):
    tell(scene.bundle, scene.first, "answered", "ended")
    response = client_of(personas.observer).get(reverse("calls:export"), {"caller": CALLER})
    assert response["Content-Type"].startswith("text/csv") and "attachment" in response["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(text_of(response)))
    assert row["caller"] == CALLER and row["promo_number"] == PROMO and row["reason"] == "Caller hung up"
    assert row["campaign_called"] == "Grand Bundle" and row["state"] == "ended" and row["talk_seconds"] == "0"


def test_the_export_goes_over_pages_and_is_bounded(scene, personas, monkeypatch):
    for _ in range(7):
        place(scene.bundle)
    monkeypatch.setattr(call_export, "CHUNK", 2)
    client = client_of(personas.observer)
    lines = text_of(client.get(reverse("calls:export"))).splitlines()
    assert len(lines) == 1 + Call.objects.count() and len(set(lines)) == len(lines)
    monkeypatch.setattr(call_export, "MAX_ROWS", 5)
    lines = text_of(client.get(reverse("calls:export"))).splitlines()
    assert len(lines) == 1 + 5 + 1 and "Stopped after 5 calls" in lines[-1]


def test_an_export_with_a_bad_filter_goes_to_the_list_that_says_why(personas, network):
    response = client_of(personas.observer).get(reverse("calls:export"), {"caller": "banana"}, follow=True)
    assert "“banana” is not a phone number" in text_of(response)


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝".replace("＝", "=x")]
)
def test_no_cell_of_the_export_is_a_formula(cell):
    assert safe(cell).startswith("'")


@pytest.mark.parametrize("cell", ["+13035550123", "North Desk", "", None, 5])
def test_ordinary_cells_stay_as_they_are(cell):
    assert safe(cell) == ("" if cell is None else str(cell))


def test_a_campaign_called_like_a_formula_is_harmless_in_the_export(scene, personas):
    actions.campaign_update(by=None, campaign=scene.south, name="=HYPERLINK(0)")
    rows = list(csv.DictReader(io.StringIO(text_of(client_of(personas.observer).get(reverse("calls:export"))))))
    assert rows[0]["destination"] == "'=HYPERLINK(0)"
