"""Roles and grants meet in one place: what `restrict`, `may` and `explain` say, and what it costs."""

import pytest
from promo_numbers.models import PromoNumber

from campaigns.actions import access_grant, access_revoke
from campaigns.models import Advertiser, Call, CallLeg, Campaign, Cap
from campaigns.queries.access import access_of_members, grantable_by
from portal.accounts import access
from portal.accounts.models import Membership, User
from portal.accounts.roles import Role
from portal.errors import Invalid, NotAllowed, NotFound
from tests import factories


def fresh(user: User) -> User:
    """As the next request reads him: rights are kept per instance."""
    return User.objects.get(pk=user.pk)


@pytest.fixture
def campaign(network):
    return factories.CampaignFactory(advertiser__network=network)


def test_a_grant_on_the_advertiser_holds_for_all_its_campaigns(campaign, personas):
    sister = factories.CampaignFactory(advertiser=campaign.advertiser)
    other = factories.CampaignFactory(advertiser__network=campaign.network)
    access_grant(by=None, obj=campaign.advertiser, to=personas.limited, action="change_budget_caps")
    seen = access.restrict(Campaign.objects.all(), personas.limited)
    assert set(seen) == {campaign, sister}
    assert set(access.restrict(Campaign.objects.all(), personas.limited, "change_budget_caps")) == {campaign, sister}
    assert not access.restrict(Campaign.objects.all(), personas.limited, "change").exists()
    assert access.may(personas.limited, "change_budget_caps", sister)
    assert not access.may(personas.limited, "view", other)


def test_a_grant_on_a_campaign_does_not_reach_up_or_sideways(campaign, personas):
    sister = factories.CampaignFactory(advertiser=campaign.advertiser)
    access_grant(by=None, obj=campaign, to=personas.limited, action="operate")
    assert list(access.restrict(Campaign.objects.all(), personas.limited)) == [campaign]
    assert not access.restrict(Advertiser.objects.all(), personas.limited).exists()
    assert not access.may(personas.limited, "view", sister)


def test_what_hangs_below_a_campaign_is_seen_with_it(campaign, personas):
    cap = factories.cap(campaign, 5)
    number = factories.PromoNumberFactory(campaign=campaign)
    factories.cap(factories.CampaignFactory(advertiser__network=campaign.network), 5)
    access_grant(by=None, obj=campaign, to=personas.limited, action="change_budget_caps")
    assert list(access.restrict(Cap.objects.all(), personas.limited)) == [cap]
    assert list(access.restrict(PromoNumber.objects.all(), personas.limited)) == [number]
    assert access.may(personas.limited, "change_budget_caps", cap)
    assert not access.may(personas.limited, "manage_numbers", number)


def test_several_grants_give_no_row_twice(campaign, personas):
    groups = [factories.GroupFactory(network=campaign.network) for _ in range(2)]
    for group in groups:
        personas.limited.groups.add(group)
        access_grant(by=None, obj=campaign, to=group, action="view")
        access_grant(by=None, obj=campaign.advertiser, to=group, action="change")
    for action in access.GRANTABLE:
        access_grant(by=None, obj=campaign, to=personas.limited, action=action)
        access_grant(by=None, obj=campaign.advertiser, to=personas.limited, action=action)
    for model in (Campaign, Advertiser):
        assert access.restrict(model.objects.all(), personas.limited).count() == 1


def test_grants_lapse_when_the_membership_ends(campaign, personas):
    group = factories.GroupFactory(network=campaign.network)
    personas.limited.groups.add(group)
    access_grant(by=None, obj=campaign, to=personas.limited, action="change_budget_caps")
    access_grant(by=None, obj=campaign, to=group, action="operate")
    assert access.may(personas.limited, "operate", campaign)
    # Even where somebody took the row out by hand, without the action that also removes the grants.
    Membership.objects.filter(user=personas.limited).delete()
    gone = fresh(personas.limited)
    for action in access.GRANTABLE:
        assert not access.may(gone, action, campaign), action
        assert not access.restrict(Campaign.objects.all(), gone, action).exists(), action
    assert access.explain(gone, campaign) == []


def test_a_role_in_one_network_counts_for_nothing_in_another(campaign, personas):
    mine = factories.CampaignFactory(advertiser__network_id=personas.outsider.memberships.get().network_id)
    for action in access.GRANTABLE:
        assert list(access.restrict(Campaign.objects.all(), personas.outsider, action)) == [mine]
        assert not access.may(personas.outsider, action, campaign)
    with pytest.raises(Invalid, match="does not belong"):
        access_grant(by=None, obj=campaign, to=personas.outsider, action="view")


def test_restrict_and_may_agree_for_everybody_on_everything(campaign, personas):
    bundle = factories.bundle_of(campaign)
    other = factories.CampaignFactory()
    access_grant(by=None, obj=campaign, to=personas.limited, action="change_budget_caps")
    access_grant(by=None, obj=campaign.advertiser, to=personas.observer, action="operate")
    inactive = factories.MembershipFactory(network=campaign.network, role=Role.SUPER, user__is_active=False).user
    for user in (*vars(personas).values(), inactive):
        for action in ("view", "add", "delete", *access.GRANTABLE, "no_such_action"):
            allowed = set(access.restrict(Campaign.objects.all(), user, action))
            for each in (campaign, bundle, other):
                assert access.may(user, action, each) == (each in allowed), (user, action, each)


def test_a_list_costs_as_many_queries_whatever_the_grants(campaign, personas, django_assert_num_queries):
    for _ in range(30):
        made = factories.CampaignFactory(advertiser=campaign.advertiser)
        access_grant(by=None, obj=made, to=personas.limited, action="view")
    user = fresh(personas.limited)
    assert user.roles
    for model in (Campaign, Advertiser):  # content types are read once per process
        access.grant_tables(model)
    # One for the ids of what was granted, one for the rows (docs/adr/0010).
    with django_assert_num_queries(2):
        assert len(access.restrict(Campaign.objects.all(), user)) == 30
    for model in (Call, CallLeg, Cap, PromoNumber, Advertiser):
        with django_assert_num_queries(2):
            list(access.restrict(model.objects.all(), user))
    manager = fresh(personas.manager)
    assert manager.roles
    with django_assert_num_queries(1):
        assert len(access.restrict(Campaign.objects.all(), manager)) == 31
    with django_assert_num_queries(0):
        assert access.may(manager, "change_budget_caps", campaign)
    with django_assert_num_queries(1):
        access.may(user, "change_budget_caps", campaign)


@pytest.mark.parametrize("most", [0, 2, 1000])
def test_grants_by_name_and_grants_by_subquery_are_the_same(campaign, personas, monkeypatch, most):
    monkeypatch.setattr(access, "MOST_NAMED", most)
    beside = factories.CampaignFactory(advertiser__network=campaign.network)
    under = factories.CampaignFactory(advertiser=beside.advertiser)
    factories.CampaignFactory(advertiser__network=campaign.network)
    user = fresh(personas.limited)
    assert not access.restrict(Campaign.objects.all(), user).exists()
    access_grant(by=None, obj=campaign, to=personas.limited, action="view")
    access_grant(by=None, obj=beside.advertiser, to=personas.limited, action="view")
    access_grant(by=None, obj=beside, to=personas.limited, action="view")
    seen = access.restrict(Campaign.objects.all(), user).values_list("pk", flat=True)
    assert sorted(seen) == [campaign.pk, beside.pk, under.pk], "each once, granted in two ways or not"


def test_require_says_404_before_403(campaign, personas):
    with pytest.raises(NotFound):
        access.require(personas.outsider, "change", campaign)
    with pytest.raises(NotAllowed) as refused:
        access.require(personas.observer, "change_budget_caps", campaign)
    assert refused.value.permission == "campaigns.change_budget_caps"
    assert "role Manager and above" in refused.value.message
    access.require(None, "change", campaign)


def test_nobody_grants_or_takes_what_he_does_not_hold(campaign, personas):
    access_grant(by=None, obj=campaign, to=personas.limited, action="manage_access")
    access_grant(by=None, obj=campaign, to=personas.limited, action="operate")
    holder = fresh(personas.limited)
    assert grantable_by(holder, campaign) == ["view", "operate", "manage_access"]
    assert access_grant(by=holder, obj=campaign, to=personas.observer, action="operate")
    for write in (access_grant, access_revoke):
        with pytest.raises(NotAllowed) as refused:
            write(by=holder, obj=campaign, to=personas.observer, action="change_budget_caps")
        assert refused.value.permission == "campaigns.change_budget_caps"
        with pytest.raises(NotFound):  # the advertiser is above him: he does not even see it
            write(by=holder, obj=campaign.advertiser, to=holder, action="operate")
    with pytest.raises(Invalid):
        access_grant(by=None, obj=campaign, to=personas.observer, action="delete")
    with pytest.raises(NotAllowed):
        access_grant(by=personas.manager, obj=campaign, to=personas.manager, action="manage_access")


@pytest.mark.parametrize("on", ["campaign", "advertiser"])
def test_the_access_table_says_what_may_says(campaign, personas, on):
    obj = campaign if on == "campaign" else campaign.advertiser
    network = campaign.network
    group = factories.GroupFactory(network=network, label="Agency")
    personas.observer.groups.add(group)
    access_grant(by=None, obj=campaign, to=personas.limited, action="change_budget_caps")
    access_grant(by=None, obj=campaign.advertiser, to=personas.limited, action="operate")
    access_grant(by=None, obj=campaign.advertiser, to=group, action="change_budget_caps")
    closed = factories.MembershipFactory(network=network, role=Role.SUPER).user
    access_grant(by=None, obj=campaign, to=closed, action="view")
    User.objects.filter(pk=closed.pk).update(is_active=False)
    factories.MembershipFactory(network=network, user=personas.staff, role=Role.OBSERVER)
    rows = access_of_members(obj, network.memberships.select_related("user"))
    assert len(rows) == 7
    for row in rows:
        user = fresh(row.subject)
        for cell in row.cells:
            assert cell.allowed == access.may(user, cell.action, obj), (on, user, cell)


def test_the_access_table_names_the_reasons(campaign, personas):
    group = factories.GroupFactory(network=campaign.network, label="Agency")
    personas.observer.groups.add(group)
    access_grant(by=None, obj=campaign, to=personas.limited, action="operate")
    access_grant(by=None, obj=campaign.advertiser, to=group, action="change_budget_caps")
    rows = {
        row.subject: {cell.action: cell for cell in row.cells}
        for row in access_of_members(campaign, campaign.network.memberships.select_related("user"))
    }
    assert rows[personas.limited]["operate"].reasons == ["Granted here"] and rows[personas.limited]["operate"].here
    assert rows[personas.limited]["view"].reasons == ["With “Go live, pause, release”"]
    through = rows[personas.observer]["change_budget_caps"]
    assert (
        through.reasons == [f"Group “Agency”, granted on the advertiser “{campaign.advertiser}”"] and not through.here
    )
    assert rows[personas.observer]["view"].reasons == ["Role Observer"]
    assert rows[personas.manager]["operate"].reasons == ["Role Manager"]
