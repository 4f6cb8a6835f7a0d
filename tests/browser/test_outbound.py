"""Outbound in Chromium: a list of some hundred is uploaded, previewed, called over real HTTP, watched and stopped."""

import re
import threading
import time

import pytest
from django.db import connection
from playwright.sync_api import expect

from outbound import actions
from outbound.dialing.pump import Pump
from outbound.models import Batch, BatchState
from outbound.models import Pace as PortalPace
from tests.outbound.house import ANI, numbers
from tests.outbound.scenes import one_of_everything

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings, transactional_db):
    settings.OUTBOUND_PLACE_TIMEOUT = 2.0
    # A transactional test before this one has emptied every table, this row of the migrations too.
    PortalPace.objects.get_or_create(pk=1)


class Workers:
    """What Celery does, in one thread: imports, ticks, pumps, questions to the carrier, results."""

    def __init__(self):
        self.over, self.faults = threading.Event(), []
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        try:
            while not self.over.is_set():
                actions.beat()
                for job in actions.imports_sweep():
                    actions.import_run(job=job)
                actions.windows_keep()
                actions.waiting_drain()
                actions.batches_settle()
                Pump(seconds=0.4, idle=0.1, stop=self.over.is_set).run()
                actions.silent_look()
                time.sleep(0.05)
        except Exception as error:  # shown by the test
            self.faults.append(error)
        finally:
            connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(20)


@pytest.fixture
def workers(live_server, settings, simulator):
    settings.OUTBOUND_CALLBACK_URL = live_server.url
    with Workers() as made:
        yield made
    assert not made.faults, made.faults


def test_from_a_file_to_the_outcome(page, live_server, sign_in, personas, house, simulator, workers, tmp_path):
    people = numbers(240) + [f"+1720555{n:02d}75" for n in range(10, 40)]
    file = tmp_path / "people.csv"
    file.write_text(
        "destination,first_name\n" + "".join(f"{one},Ann\n" for one in people) + "12,Nobody\n" + f"{people[0]},Twice\n"
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/outbound/")
    page.get_by_role("link", name="Set up the first one").click()
    page.get_by_label("Name").fill("Spring reminders")
    page.get_by_label("Number shown").fill(ANI)
    page.get_by_role("button", name="Save and go on").click()

    page.get_by_label("File", exact=True).set_input_files(str(file))
    page.get_by_role("button", name="Add to the list").click()
    expect(page.locator("main")).to_contain_text("270 people on the list")
    expect(page.locator("main")).to_contain_text("Done")
    with page.expect_download() as refused:
        page.get_by_role("link", name="Refused rows").click()
    text = refused.value.path().read_text()
    assert "272,12,A number that cannot exist" in text or "272,12,Not a phone number" in text
    assert "273," in text
    page.get_by_role("button", name="Save and go on").click()

    # Around the clock, so that the test may run at any hour.
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        row = page.get_by_role("group", name=day)
        row.get_by_label(f"{day} from").fill("00:00")
        row.get_by_label(f"{day} until").fill("00:00")
        row.get_by_label("next day").check()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Calls per second").fill("25")
    page.get_by_label("Lines").fill("20")
    page.get_by_role("button", name="Save and go on").click()

    expect(page.get_by_role("heading", name="By time zone")).to_be_visible()
    expect(page.locator("main")).to_contain_text("270")
    expect(page.locator("main")).to_contain_text("America/Denver")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Start it").click()
    expect(page.locator(".badge", has_text="Running").first).to_be_visible()

    # Watched: the figures move by themselves.
    completed = page.locator(".stat", has_text="Completed").locator(".stat-value")
    expect(completed).not_to_have_text("0")
    expect(page.get_by_role("region", name="Latest calls that ended")).to_contain_text("Voice")
    page.get_by_role("region", name="Latest calls that ended").get_by_role(
        "link", name=re.compile("Call info")
    ).first.click()
    info = page.locator("#call-info")
    expect(info).to_contain_text("Attempt 1")
    expect(info).to_contain_text("Accepted by the carrier")
    page.keyboard.press("Escape")
    expect(info).not_to_be_visible()

    # Stopped with the keyboard: the dialog takes the focus and gives it back.
    page.get_by_role("button", name="Stop", exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Stop this batch for good?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.keyboard.press("Enter")
    dialog.get_by_label("Reason").fill("wrong list")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text(re.compile(r"Stopped: \d+ people will never be called"))
    after = simulator.counts()["requests"]
    never = int(re.search(r"Stopped: (\d+)", page.locator(".messages").inner_text()).group(1))
    assert 0 < never < 270
    expect(page.locator(".badge", has_text="Stopped").first).to_be_visible()
    assert simulator.counts()["requests"] == after, "the outside counter never rises after the answer"
    batch = Batch.objects.get()
    state = BatchState.objects.get(pk=batch.pk)
    assert state.canceled == never and state.completed + state.failed + state.canceled == 270
    assert after == 270 - state.canceled, "whoever was not called is canceled, and nobody else"
    assert simulator.counts()["attempts_twice"] == {}
    page.locator(".tabs").get_by_role("link", name="Calls", exact=True).click()
    page.get_by_label("Status").select_option("completed")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("region", name="Calls")).to_contain_text("Voice")
    with page.expect_download() as exported:
        page.get_by_role("link", name="Export CSV").click()
    assert len(exported.value.path().read_text().splitlines()) == state.completed + 1


def test_the_start_moves_from_the_full_hour_with_one_click(page, live_server, sign_in, personas, house):
    draft = house.batch(numbers(2), started=False)
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/outbound/batches/{draft.pk}/setup/schedule/")
    page.get_by_label("Start", exact=True).fill("2031-03-03T10:00")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.locator("main")).to_contain_text("It starts near the full hour")
    page.get_by_role("button", name="Start at").nth(1).click()
    expect(page.get_by_label("Start", exact=True)).to_have_value("2031-03-03T10:30")
    expect(page.locator("main")).not_to_contain_text("It starts near the full hour")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_call_info_is_accessible(page, live_server, sign_in, personas, house, accessible, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    addresses = one_of_everything(house)
    sign_in(personas.super)
    page.goto(live_server.url + addresses["calls"])
    page.get_by_role("link", name=re.compile("Call info")).first.click()
    expect(page.locator("#call-info")).to_contain_text("Our id")
    accessible()
