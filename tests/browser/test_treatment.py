"""The call treatment's editor in Chromium: by mouse, by keyboard alone, accessible, at both widths and themes."""

import pytest
from playwright.sync_api import expect

from campaigns.drafts import futures_of
from campaigns.models import Campaign
from campaigns.queries.treatment import treatment_of
from portal.accounts.roles import Role
from tests.factories import (
    AdvertiserFactory,
    CampaignFactory,
    MembershipFactory,
    NetworkFactory,
    bundle_of,
    destinations,
)
from tests.treatment.setting import in_force

END = {"node_type": "EndCall"}
TREE = {
    "record_calls": True,
    "root": {
        "node_type": "Condition", "condition": "during_hours and not repeat",
        "children": [
            {
                "node_type": "Menu", "prompt": "Press 1 for sales, 2 for service.",
                "children": [
                    {"node_type": "SelectFromBundle", "repeat_caller": True, "children": [
                        {"node_type": "Connect", "destination_campaign_id_from_network": "over", "prompt": "One moment."}]},
                    {"node_type": "RingGroup", "ring_group_connect_timeout": 20, "ring_group_destinations": [
                        {"ring_group_number": "+13035550111"}, {"ring_group_number": "+13035550112"}],
                     "children": [{"node_type": "Failover", "destination_phone_number": "+13035550113"}]},
                    {**END, "prompt": "Goodbye.", "keypress_failover_type": "None"},
                ],
            },
            {**END, "prompt": "We are closed. Leave a message.", "record_message": True},
        ],
    },
}  # fmt: skip


@pytest.fixture
def editor(live_server, page, sign_in):
    """A bundle with a treatment, and a member who looks at its page."""
    network = NetworkFactory(name="Acme")
    made = destinations(2, 1, advertiser=AdvertiserFactory(network=network))
    CampaignFactory(advertiser=made[0].advertiser, name="Night desk", id_from_network="over")
    bundle = bundle_of(*made, name="Roofing")
    in_force(bundle, TREE)
    sign_in(MembershipFactory(network=network, role=Role.MEMBER).user)
    page.goto(f"{live_server.url}/campaigns/{bundle.pk}/treatment/")
    return bundle


def root_of(bundle):
    """The first node of the treatment as it will be."""
    return treatment_of(futures_of([Campaign.objects.select_related("overflow").get(pk=bundle.pk)])[0])["root"]


def test_a_node_is_added_moved_and_removed_with_the_mouse(editor, page):
    page.get_by_role("button", name="Menu Press 1 for sales").click()
    page.get_by_label("Type of node").select_option("EndCall")
    page.get_by_role("button", name="Add below").click()
    page.get_by_label("Prompt").fill("The third.")
    page.get_by_role("button", name="Move up").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved: it is in effect when the campaign goes live")).to_be_visible()
    menu = root_of(editor)["children"][0]
    assert [child["node_type"] for child in menu["children"]] == ["SelectFromBundle", "EndCall", "RingGroup", "EndCall"]
    page.get_by_role("button", name="End call The third.").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved: it is in effect when the campaign goes live")).to_be_visible()
    assert len(root_of(editor)["children"][0]["children"]) == 3


def test_by_keyboard_alone(editor, page):
    def reach(name):
        """Tab until the button or field of that name has the focus."""
        for _press in range(80):
            page.keyboard.press("Tab")
            said = page.evaluate(
                """() => {
                    const e = document.activeElement.labels?.[0] || document.activeElement;
                    const parts = [...e.childNodes].filter((part) => !part.classList?.contains("icon"));
                    return parts.map((part) => part.textContent).join("").trim();
                }"""
            )
            if said.replace("\n", " ").startswith(name):
                return
        raise AssertionError(f"{name} cannot be reached by Tab")

    reach("Condition")
    page.keyboard.press("Enter")
    expect(page.locator("#open-node")).to_be_visible()
    reach("Condition")  # the field: the page goes on where the node was opened
    page.keyboard.press("Control+A")
    page.keyboard.type("mobile")
    reach("Apply")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    reach("Save")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is saved: it is in effect when the campaign goes live")).to_be_visible()
    assert root_of(editor)["condition"] == "mobile"
    reach("Keys pressed")
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    page.keyboard.type("busy busy busy")
    reach("Test")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="The path of the call")).to_contain_text("The call comes in")


def test_an_error_is_shown_where_it_is(editor, page):
    page.get_by_role("button", name="Condition during_hours").click()
    page.get_by_label("Condition", exact=True).fill("during_hours nad mobile")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing was saved yet")).to_be_visible()
    expect(page.locator(".field-errors")).to_contain_text("Line 1, column 14")


def test_the_repeat_caller_box_says_that_it_ignores_the_cap(editor, page):
    page.get_by_role("button", name="Select transfer destination from bundle").click()
    expect(page.get_by_label("Repeat callers go back")).to_be_checked()
    expect(page.get_by_text("This ignores the concurrent call cap")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_no_wider_than_the_window(editor, page, size, theme, accessible, no_sideways_scroll):
    page.set_viewport_size(size)
    page.evaluate("theme => document.documentElement.classList.toggle('dark', theme === 'dark')", theme)
    accessible()
    no_sideways_scroll()
    page.get_by_role("button", name="Menu Press 1 for sales").click()
    page.get_by_label("Keys pressed").fill("1")
    page.get_by_role("button", name="Test", exact=True).click()
    # The next page is there before its theme is touched: between two pages there is no document.
    expect(page.get_by_role("list", name="The path of the call")).to_be_visible()
    page.evaluate("theme => document.documentElement.classList.toggle('dark', theme === 'dark')", theme)
    accessible()
    no_sideways_scroll()
