"""The page of the call treatment: every change a POST of a draft, nothing written before Save; test mode; rights."""

import html
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import actions
from campaigns.drafts import futures_of
from campaigns.models import CallLeg, Campaign
from campaigns.pages.treatment_forms import NodeForm
from campaigns.queries.treatment import treatment_of
from campaigns.treatment.validate import treatment_read
from portal.audit.models import AuditEvent
from tests.factories import AdvertiserFactory, CampaignFactory, bundle_of, destinations

from .setting import in_force
from .test_trees import CONNECT, END, menu, node, select

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(network):
    made = destinations(2, 1, advertiser=AdvertiserFactory(network=network))
    return bundle_of(*made)


class Page:
    """The page in a browser without scripts: what a form sends is read from the page before."""

    def __init__(self, user, campaign):
        self.client = Client()
        self.client.force_login(user)
        self.address = reverse("campaigns:treatment", args=[campaign.pk])
        self.text, self.status = "", 0
        self.get()

    def _read(self, response):
        self.status, self.text = response.status_code, response.content.decode()
        return self

    def get(self):
        return self._read(self.client.get(self.address))

    def hidden(self, name):
        found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', self.text)
        return html.unescape(found.group(1)) if found else None

    @property
    def tree(self):
        return json.loads(self.hidden("tree"))

    @property
    def typed(self):
        """What stands in the open node's fields, as a browser would send it."""
        fields = {
            html.unescape(name): html.unescape(value)
            for name, value in re.findall(r'<input type="text" name="(n-[^"]+)" value="([^"]*)"', self.text)
        }
        areas = re.findall(r'<textarea name="(n-[^"]+)"[^>]*>([^<]*)<', self.text)
        fields |= {name: html.unescape(text).removeprefix("\n") for name, text in areas}
        fields |= dict.fromkeys(re.findall(r'<input type="checkbox" name="(n-[^"]+)"[^>]* checked', self.text), "on")
        for name, options in re.findall(r'<select name="(n-[^"]+)"[^>]*>(.*?)</select>', self.text, re.DOTALL):
            chosen = re.search(r'<option value="([^"]*)" selected', options)
            fields[name] = chosen.group(1) if chosen else ""
        return fields

    def do(self, what, **typed):
        typed = {name: value for name, value in {**self.typed, **typed}.items() if value is not None}
        fields = {name: self.hidden(name) for name in ("tree", "version", "open", "changed", "settings", "whole")}
        data = {name: value for name, value in fields.items() if value is not None} | {"do": what} | typed
        response = self.client.post(self.address, data)
        if response.status_code == 302:
            self.get()
            self.status = 302
            return self
        return self._read(response)


def fresh(campaign):
    """The campaign as it will be when it goes live."""
    (future,) = futures_of(Campaign.objects.select_related("overflow", "network").filter(pk=campaign.pk))
    return future


def test_a_tree_is_built_step_by_step_and_saved(bundle, personas):
    over = CampaignFactory(advertiser=bundle.advertiser, id_from_network="over")
    page = Page(personas.member, bundle)
    assert page.status == 200 and "Select transfer destination from bundle" in page.text
    page.do("open root")
    assert "This ignores the concurrent call cap" in page.text, "said beside the repeat caller checkbox"
    page.do("add", kind="Connect", **{"n-repeat_caller": "on"})
    assert page.hidden("open") == "root.children[0]" and page.tree["root"]["repeat_caller"] is True
    page.do("apply", **{"n-destination_campaign_id_from_network": "over", "n-prompt": "One moment."})
    page.do("open root")
    page.do("insert", kind="Menu", **{"n-repeat_caller": "on"})
    assert page.tree["root"]["node_type"] == "Menu" and "Incomplete" in page.text
    assert fresh(bundle).ivr_tree is None, "nothing is written before Save"
    page.do("save", **{"n-prompt": "Press 1 for sales."})
    assert page.status == 302 and "is saved" in page.text
    saved = fresh(bundle)
    assert (saved.overflow, saved.repeat_caller) == (over, True)
    assert treatment_of(saved)["root"]["prompt"] == "Press 1 for sales."
    assert AuditEvent.objects.get(event="campaign.draft").actor == personas.member
    assert "Pending changes" in page.text, "what was live is changed by going live"
    assert treatment_of(Campaign.objects.get(pk=bundle.pk))["root"]["node_type"] == "SelectFromBundle"
    actions.campaign_move_status(by=None, campaign=bundle, move="go_live")
    assert "Pending changes" not in page.get().text


def test_faults_are_listed_and_shown_at_their_field_and_nothing_is_saved(bundle, personas):
    page = Page(personas.member, bundle)
    page.do("open root").do("insert", kind="Condition")
    page.do("save", **{"n-condition": "mobile nad repeat"})
    assert page.status == 422 and "Nothing was saved yet" in page.text
    assert "Line 1, column 8" in page.text and 'aria-invalid="true"' in page.text
    assert "mobile nad repeat" in page.text, "what was typed stays"
    assert fresh(bundle).ivr_tree is None
    page.do("save", **{"n-condition": "mobile and not repeat"})
    assert page.status == 302


def test_moving_removing_and_changing_types(bundle, personas):
    in_force(bundle, {"root": menu(select(), {**END, "prompt": "Bye"})})
    page = Page(personas.member, bundle)
    page.do("open root.children[1]").do("move up", **{"n-prompt": "Bye"})
    assert page.hidden("open") == "root.children[0]" and page.tree["root"]["children"][0]["prompt"] == "Bye"
    assert 'value="move up"' not in page.text and 'value="move down"' in page.text
    page.do("type", kind="VerifyLocation", **{"n-prompt": "Bye"})
    assert page.tree["root"]["children"][0]["node_type"] == "VerifyLocation"
    page.do("remove keep")
    assert page.tree["root"]["children"][0] == END
    page.do("remove")
    assert len(page.tree["root"]["children"]) == 1 and page.hidden("open") == "root"
    page.do("add None", kind="EndCall", **{"n-prompt": "Press a key."})
    assert page.tree["root"]["children"][1]["keypress_failover_type"] == "None"
    page.do("standard")
    assert page.tree["root"]["node_type"] == "SelectFromBundle" and "Not saved yet" in page.text


def test_every_type_of_node_can_be_opened_and_written_back_unchanged(bundle, personas):
    from .test_trees import GOOD

    plain = CampaignFactory(advertiser=bundle.advertiser)
    for kind, root in GOOD.items():
        campaign = bundle if kind == "SelectFromBundle" else plain
        if kind == "SelectFromBundle":
            CampaignFactory(advertiser=bundle.advertiser, id_from_network="over")
        in_force(campaign, {"root": {**root, "shade": 1}})
        before = treatment_of(fresh(campaign))
        page = Page(personas.member, campaign).do("open root")
        page.do("apply")
        assert page.tree["root"] == before["root"], kind


def test_the_test_shows_the_path(bundle, personas):
    first, second = (row.destination for row in bundle.destinations.select_related("destination"))
    in_force(bundle, {"root": menu(select({**END, "record_message": True}), END)})
    page = Page(personas.observer, bundle)
    assert 'value="save"' not in page.text and 'value="test"' in page.text
    page.do("test", **{"t-caller": "+13035550123", "t-keys": "- 1", "t-dials": "busy answer"})
    path = re.findall(r"<li><p><strong>([^<]*)</strong>", page.text)
    assert [html.unescape(step) for step in path] == [
        "The call comes in", "No key is pressed", "Presses 1", f"“{first}” is selected", "Busy",
        f"“{second}” is selected", "Somebody answers", "They hang up",
    ]  # fmt: skip
    assert "is-walked" in page.text
    assert not CallLeg.objects.exists()
    page.do("test", **{"t-caller": "", "t-keys": "1", "t-dials": "busy none"})
    assert "Records a message" in page.text
    page.do("test", **{"t-caller": "nobody", "t-keys": "1", "t-dials": "dance"})
    assert "not a phone number" in page.text and "is not one of" in page.text


def test_the_test_walks_through_the_own_tree_of_a_destination(bundle, personas):
    first, second = (row.destination for row in bundle.destinations.select_related("destination"))
    in_force(first, {"root": menu({**CONNECT, "prompt": "Sales."})})
    in_force(bundle, {"root": select(END)})
    typed = {"t-caller": "+13035550123", "t-keys": "1", "t-dials": "busy answer"}
    page = Page(personas.observer, bundle).do("test", **typed)
    text = html.unescape(page.text)
    path = re.findall(r'<li><p><strong>([^<]*)</strong> <span class="walk-node">([^<]*)<', text)
    assert [(happened, node.strip()) for happened, node in path] == [
        ("The call comes in", "Select transfer destination from bundle"), (f"“{first}” is selected", f"in “{first}”: Menu"),
        ("Presses 1", f"in “{first}”: Connect"), ("Busy", "Select transfer destination from bundle"),
        (f"“{second}” is selected", "Select transfer destination from bundle"),
        ("Somebody answers", "Select transfer destination from bundle"),
        ("They hang up", "Select transfer destination from bundle"),
    ]  # fmt: skip
    assert "Says “Sales.”" in text and text.count("is-walked") >= 1
    # Who may see the bundle only is told what the caller does there, not what the destination's tree says.
    actions.access_grant(by=None, obj=bundle, to=personas.limited, action="view")
    text = html.unescape(Page(personas.limited, bundle).do("test", **typed).text)
    assert f"in “{first}”: its own call treatment" in text and "Sales." not in text


def test_the_test_of_a_full_bundle_goes_to_the_else_branch(bundle, personas):
    for caller in ("+13035550124", "+13035550125"):
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=caller)
    in_force(bundle, {"root": select({**END, "prompt": "All are busy."})})
    page = Page(personas.observer, bundle).do("test", **{"t-caller": "+13035550123"})
    assert "Nobody is left (capped)" in page.text and "All are busy." in html.unescape(page.text)


def test_a_plain_campaigns_conditions_follow_the_time_given(network, personas):
    campaign = CampaignFactory(
        advertiser=AdvertiserFactory(network=network), operating_24_7=False, time_zone="America/Denver",
        hours={"monday_open": 28_800, "monday_closed": 64_800},
    )  # fmt: skip
    root = node("Condition", CONNECT, {**END, "prompt": "We are closed."}, condition="during_hours")
    in_force(campaign, {"root": root})
    page = Page(personas.observer, campaign)
    page.do("test", **{"t-at": "2026-11-02T08:00"})
    assert "Rings +13035550100" in page.text
    page.do("test", **{"t-at": "2026-11-02T18:00"})
    assert "Says “We are closed.”" in page.text.replace("We are closed.&#x27;", "")


def test_who_may_not_change_writes_nothing(bundle, personas):
    page = Page(personas.observer, bundle)
    assert page.do("save").status == 403 and page.do("add", kind="Menu").status == 403
    assert Page(personas.outsider, bundle).status == 404
    assert fresh(bundle).ivr_tree is None


def test_somebody_elses_change_is_not_written_over(bundle, personas):
    page = Page(personas.member, bundle).do("open root")
    in_force(bundle, {"root": select(END)})
    page.do("save", **{"n-repeat_caller": "on"})
    assert page.status == 422 and "Somebody changed this campaign meanwhile" in page.text


@pytest.mark.parametrize(
    "tree", ["", "{", "[]", "null", '{"root": 5}', '{"root": {"node_type": "Menu", "children": 5}}', "[" * 5000]
)
@pytest.mark.parametrize(
    "do", ["save", "add", "open root.children[7]", "remove keep", "move up", "type", "nonsense", "test"]
)
def test_whatever_a_form_sends_is_no_crash(bundle, personas, tree, do):
    page = Page(personas.member, bundle)
    response = page.client.post(
        page.address, {"tree": tree, "do": do, "open": "root.children[3]", "kind": "Nothing", "settings": "root"}
    )
    assert response.status_code in (200, 302, 422)


def test_a_draft_of_what_are_no_nodes_is_refused(bundle, personas):
    page = Page(personas.member, bundle)
    tree = {"root": {"node_type": "Menu", "prompt": "x", "children": [{"node_type": "Teleport"}, CONNECT]}}
    response = page.client.post(page.address, {"tree": json.dumps(tree), "do": "save", "open": ""})
    assert response.status_code == 422 and "cannot be read" in response.content.decode()
    assert fresh(bundle).ivr_tree is None


@pytest.mark.parametrize("typed", ["9" * 5000, "²"])
def test_numbers_that_are_none_are_said_to_be_so(typed):
    """Python reads neither: they stay as they were typed, and the validator names what is wrong."""
    connect = NodeForm(CONNECT, {"n-connect_timeout": typed}).values()
    assert connect["connect_timeout"] == typed
    group = NodeForm(node("RingGroup"), {"n-ring_group_destinations": f"+13035550123,{typed}"}).values()
    assert group["ring_group_destinations"][0]["distribution_weight"] == typed
    root = {**CONNECT, "connect_timeout": typed}
    assert [fault.field for fault in treatment_read({"root": root})[1]] == ["connect_timeout"]
