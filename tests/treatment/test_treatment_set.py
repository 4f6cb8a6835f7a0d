"""Setting a call treatment: checked, audited, and one truth with the fields of the bundle."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from campaigns import actions
from campaigns.callers import caller_read
from campaigns.models import Campaign
from campaigns.queries.lint import lint
from campaigns.queries.summaries import bundle_rows
from campaigns.queries.treatment import context_of, copied, facts_of, line_of, treatment_of, tree_of
from campaigns.treatment.validate import treatment_read
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed
from tests.factories import BundleFactory, CampaignFactory, MembershipFactory, bundle_of, changed, destinations

from .setting import in_force
from .test_trees import CONNECT, END, menu, node, select

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle():
    return bundle_of(*destinations(2))


@pytest.fixture
def over(bundle):
    return CampaignFactory(advertiser=bundle.advertiser, id_from_network="over")


def to(campaign, **values):
    return node("Connect", destination_campaign_id_from_network=campaign.id_from_network, **values)


def put(campaign, root, by=None, **values):
    return in_force(campaign, {"record_calls": False, "root": root}, by=by, **values)


def fresh(campaign):
    return Campaign.objects.select_related("overflow", "network").get(pk=campaign.pk)


def test_the_implied_treatments(bundle, over):
    assert treatment_of(bundle)["root"] == {"node_type": "SelectFromBundle", "repeat_caller": False, "children": []}
    bundle.overflow, bundle.repeat_caller = over, True
    assert treatment_of(bundle)["root"] == {
        "node_type": "SelectFromBundle", "repeat_caller": True,
        "children": [{"node_type": "Connect", "destination_campaign_id_from_network": "over"}],
    }  # fmt: skip
    plain = CampaignFactory(advertiser=bundle.advertiser)
    assert treatment_of(plain)["root"] == {"node_type": "Connect", "destination_phone_number": "+13035550100"}
    assert tree_of(plain).root.destination_phone_number == "+13035550100"


def test_setting_the_tree_writes_the_fields(bundle, over):
    root = menu(select(to(over, prompt="One moment."), repeat_caller=True), {**END, "keypress_failover_type": "None"})
    put(bundle, root)
    bundle = fresh(bundle)
    assert (bundle.overflow, bundle.repeat_caller) == (over, True)
    assert treatment_of(bundle)["root"] == root


def test_setting_the_fields_writes_the_tree(bundle, over):
    put(bundle, select(to(over, prompt="One moment."), repeat_caller=True))
    other = CampaignFactory(advertiser=bundle.advertiser, id_from_network="other")
    changed(bundle, overflow=other, repeat_caller=False)
    read = treatment_of(fresh(bundle))["root"]
    assert read["repeat_caller"] is False
    assert read["children"][0]["destination_campaign_id_from_network"] == "other"
    assert read["children"][0]["prompt"] == "One moment."
    changed(bundle, overflow=None)
    assert treatment_of(fresh(bundle))["root"]["children"] == []


def test_an_else_branch_that_is_no_campaign_clears_the_overflow(bundle, over):
    put(bundle, select(to(over)))
    put(bundle, select({**END, "record_message": True}))
    bundle = fresh(bundle)
    assert bundle.overflow is None
    assert treatment_of(bundle)["root"]["children"] == [{**END, "record_message": True}]


def test_a_tree_that_only_connects_is_the_destination_number():
    plain = CampaignFactory()
    put(plain, {**CONNECT, "destination_phone_number": "303 555 0199", "destination_country_code": "1", "prompt": "Hi"})
    plain = fresh(plain)
    assert plain.destination_phone_number == "+13035550199"
    changed(plain, destination_phone_number="+13035550155")
    read = treatment_of(fresh(plain))["root"]
    assert (read["destination_phone_number"], read["prompt"]) == ("+13035550155", "Hi")


def test_a_caller_id_that_would_do_nothing_is_not_set_and_what_was_stored_goes_on(bundle, over):
    partial = {"root": select(), "caller_id": {"setting": "partial", "mask": "303"}}
    with pytest.raises(Invalid) as refused:
        in_force(bundle, partial)
    assert [(field, code) for field, code, _text in refused.value.problems] == [
        ("ivr_tree.caller_id.setting", "not_supported")
    ]
    assert "original, promo, or specific" in refused.value.message
    Campaign.objects.filter(pk=bundle.pk).update(ivr_tree={**partial, "root": select(END)})
    assert len(list(tree_of(fresh(bundle)).walk())) == 2, "a tree of before is walked as ever"


def test_the_implied_treatment_comes_back(bundle, over):
    put(bundle, select(to(over), colour="red"))
    in_force(bundle, None)
    bundle = fresh(bundle)
    assert bundle.ivr_tree is None and bundle.overflow == over


def test_unknown_fields_are_given_back_unchanged(bundle):
    tree = {
        "record_calls": True, "caller_id": {"setting": "original"}, "colour": "blue",
        "root": select(menu({**END, "asr_phrases": [{"phrase": "sales"}]}, shade=1), repeat_caller=False),
    }  # fmt: skip
    in_force(bundle, tree)
    assert treatment_of(fresh(bundle)) == tree


def test_a_change_is_audited_and_a_repetition_is_not(bundle, over):
    manager = MembershipFactory(network=bundle.network, role=Role.MANAGER).user
    put(bundle, select(to(over)), by=manager)
    put(bundle, select(to(over)), by=manager)
    event = AuditEvent.objects.get(event="campaign.draft")
    assert event.actor == manager and event.object_id == str(bundle.pk)
    assert event.changes["overflow"] == [None, str(over)] and event.changes["ivr_tree"][1]["root"]["children"]


def test_setting_needs_change(bundle):
    observer = MembershipFactory(network=bundle.network, role=Role.OBSERVER).user
    with pytest.raises(NotAllowed) as refused:
        put(bundle, END, by=observer)
    assert refused.value.permission == "campaigns.change_campaign"


def test_somebody_elses_change_is_not_written_over(bundle):
    version = bundle.updated_at.isoformat()
    put(bundle, select(END), version=version)
    with pytest.raises(Conflict) as refused:
        put(bundle, select(), version=version)
    assert refused.value.code == "changed"


def test_every_fault_comes_with_its_place(bundle):
    root = menu(node("Condition", END, END, condition="mobile nad repeat"), node("Connect"))
    with pytest.raises(Invalid) as refused:
        put(bundle, root)
    assert [(field, code) for field, code, _text in refused.value.problems] == [
        ("ivr_tree.root.children[0].condition", "invalid_condition"),
        ("ivr_tree.root.children[1].destination_phone_number", "required"),
    ]
    assert "Line 1, column 8" in refused.value.problems[0][2]
    assert fresh(bundle).ivr_tree is None


@pytest.mark.parametrize(
    ("own", "code"), [("nobody", "unknown_campaign"), ("bundle", "bundle_in_bundle"), ("far", "unknown_campaign")]
)
def test_the_overflow_must_be_a_campaign_of_the_network(bundle, own, code):
    CampaignFactory(id_from_network="far")
    BundleFactory(advertiser=bundle.advertiser, id_from_network="bundle")
    with pytest.raises(Invalid) as refused:
        put(bundle, select(node("Connect", destination_campaign_id_from_network=own)))
    assert refused.value.code == code
    assert refused.value.field in ("overflow", "ivr_tree.root.children[0].destination_campaign_id_from_network")


def test_an_overflow_that_he_may_not_see_is_unknown(bundle, over):
    limited = MembershipFactory(network=bundle.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=bundle, to=limited, action="change")
    with pytest.raises(Invalid) as refused:
        put(bundle, select(to(over)), by=limited)
    assert refused.value.code == "unknown_campaign"


def test_a_huge_tree_is_refused(bundle):
    with pytest.raises(Invalid) as refused:
        put(bundle, {**END, "asr_phrases": ["x" * 300_000]})
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("tree", [[], "x", {"root": None}, {}])
def test_what_is_no_tree_is_refused(bundle, tree):
    with pytest.raises(Invalid):
        in_force(bundle, tree)


def test_the_bundles_lint_knows_the_tree(bundle, over, personas):
    def found(root):
        put(bundle, root)
        one = fresh(bundle)
        return {each.code for each in lint(bundle=one, rows=bundle_rows(bundle=one, user=personas.staff))}

    assert "no_overflow" in found(select())
    assert "no_overflow" not in found(select({**END, "record_message": True}))
    assert "else_ends_call" in found(select(END))
    assert "never_selects" in found(CONNECT)
    assert found(select(to(over))) == set()


def test_a_stored_tree_that_cannot_be_read_any_more_gives_way(bundle, caplog):
    Campaign.objects.filter(pk=bundle.pk).update(ivr_tree={"root": {"node_type": "Teleport"}})
    assert tree_of(fresh(bundle)).root.kind == "SelectFromBundle"
    assert "cannot be read" in caplog.text


def test_a_copy_takes_the_tree_along_and_keeps_its_own_fields(bundle, over):
    put(bundle, menu(select(to(over, prompt="Wait."), repeat_caller=True)))
    read = copied(fresh(bundle), {"overflow": None, "repeat_caller": False})["root"]
    assert read["node_type"] == "Menu" and read["children"][0]["children"] == []
    plain = put(CampaignFactory(), {**CONNECT, "prompt": "Hi"})
    assert copied(plain, {}) is None
    assert copied(plain, {"destination_phone_number": "+13035550155"})["root"]["prompt"] == "Hi"


# What conditions may ask -----------------------------------------------------------------------------------------------


def facts(campaign, root, caller="+13035550123", **given):
    tree, _ = treatment_read({"root": root})
    return facts_of(
        campaign=campaign, tree=tree, caller=caller_read(caller), promo_number="", given=given, at=timezone.now()
    )


def test_regions_place_and_repeat_are_looked_up_where_they_are_asked(places):
    campaign = CampaignFactory(
        named_regions=[
            {"name": "Colorado", "regions": [{"region_type": "State", "value": "CO", "text": "CO"}]},
            {"name": "East", "regions": [{"region_type": "Zone", "value": "Eastern", "text": "Eastern"}]},
        ]
    )
    asks = node("Condition", node("VerifyLocation", END), END, condition="in_region[Colorado] or repeat")
    known = facts(campaign, asks)
    assert (known["regions"], known["repeat"], known["place"]) == (["Colorado"], False, "CO")
    assert facts(campaign, asks, caller=None)["regions"] == []
    assert "regions" not in facts(campaign, END)
    actions.call_route(by=None, network=campaign.network, campaign=campaign.pk, caller="+13035550123")
    assert facts(campaign, asks)["repeat"] is True


def test_what_the_switch_says_wins():
    campaign = CampaignFactory(extra={"custom_data": {"plan": "gold", "shop": "7"}})
    known = facts(campaign, END, custom_data={"plan": "silver"}, line="mobile", affiliate_name="Acme")
    assert known["custom_data"] == {"plan": "silver", "shop": "7"}
    assert (known["line"], known["affiliate_name"]) == ("mobile", "Acme")
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    context = context_of(known, now=now, started_at=datetime(2026, 11, 2, 11, 59, tzinfo=UTC))
    assert (context.duration, context.connect_duration, context.line) == (60, 0, "mobile")


@pytest.mark.parametrize(
    ("number", "line"),
    [("+447911123456", "mobile"), ("+442079460000", "landline"), ("+13035550123", ""), (None, ""), ("x", "")],
)
def test_the_line_is_known_where_the_numbering_plan_tells(number, line):
    assert line_of(number) == line
