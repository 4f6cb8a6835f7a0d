"""Members: who may add, change and remove them, and what goes with them."""

import re

import pytest
from django.urls import reverse

from campaigns.actions import access_grant
from portal.accounts import access, actions
from portal.accounts.models import Membership, User
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories


def member(network, user) -> Membership:
    return network.memberships.select_related("user", "network").get(user=user)


@pytest.mark.parametrize("persona", ["limited", "observer", "member", "manager"])
def test_only_a_super_manages_members(network, personas, persona):
    by = getattr(personas, persona)
    before = Membership.objects.count()
    with pytest.raises(NotAllowed) as refused:
        actions.member_add(by=by, network=network, email="new@example.com", role=Role.OBSERVER)
    assert refused.value.permission == "accounts.manage_members"
    with pytest.raises(NotAllowed):
        actions.member_change_role(by=by, membership=member(network, by), role=Role.SUPER)
    with pytest.raises(NotAllowed):
        actions.member_remove(by=by, membership=member(network, personas.observer))
    assert Membership.objects.count() == before and not AuditEvent.objects.exists()
    assert not User.objects.filter(email="new@example.com").exists()


def test_an_outsider_learns_nothing_of_the_network(network, personas):
    with pytest.raises(NotFound):
        actions.member_add(by=personas.outsider, network=network, email="new@example.com", role=Role.OBSERVER)
    with pytest.raises(NotFound):
        actions.member_remove(by=personas.outsider, membership=member(network, personas.observer))


def test_a_new_person_gets_a_mail_and_signs_in_with_the_password_set(
    network, personas, client, mailoutbox, tasks_at_once, django_capture_on_commit_callbacks
):
    client.force_login(personas.super)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            reverse("accounts:member-add"),
            {"email": "Nina@Example.com ", "name": "Nina", "role": Role.MANAGER.value, "reason": "new hire"},
        )
    assert answer.status_code == 302, answer.context["form"].errors
    nina = User.objects.get(email="nina@example.com")
    assert nina.roles == {network.pk: Role.MANAGER} and not nina.has_usable_password()
    event = AuditEvent.objects.get(event="member.add")
    assert (event.actor, event.network, event.reason) == (personas.super, network, "new hire")
    assert event.changes == {"role": [None, "Manager"]}

    (mail,) = mailoutbox
    assert mail.to == ["nina@example.com"] and "Acme" in mail.body
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.body).group(1)
    client.logout()
    form = client.get(link, follow=True)
    where = form.redirect_chain[-1][0]
    password = "a long and unusual phrase"
    assert client.post(where, {"password1": password, "password2": password}).status_code == 302
    answer = client.post(reverse("account_login"), {"login": "nina@example.com", "password": password})
    assert answer.status_code == 302 and client.session["_auth_user_id"] == str(nina.pk)


def test_somebody_known_is_told_and_keeps_his_password(
    network, personas, mailoutbox, tasks_at_once, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        actions.member_add(by=personas.super, network=network, email="OUTSIDER@other.example", role=Role.OBSERVER)
    assert member(network, personas.outsider).role == Role.OBSERVER
    assert "password" not in mailoutbox[0].body


@pytest.mark.parametrize(("email", "code"), [("nonsense", "invalid_email"), ("", "invalid_email")])
def test_a_bad_address_is_refused(network, personas, email, code):
    with pytest.raises(Invalid) as refused:
        actions.member_add(by=personas.super, network=network, email=email, role=Role.OBSERVER)
    assert (refused.value.code, refused.value.field) == (code, "email")


def test_no_unknown_role_no_second_membership_no_closed_account(network, personas):
    with pytest.raises(Invalid, match="not a role"):
        actions.member_add(by=personas.super, network=network, email="new@example.com", role=25)
    with pytest.raises(Conflict, match="already"):
        actions.member_add(by=personas.super, network=network, email="observer@acme.example", role=Role.SUPER)
    closed = factories.UserFactory(is_active=False)
    with pytest.raises(Conflict, match="closed"):
        actions.member_add(by=personas.super, network=network, email=closed.email, role=Role.OBSERVER)
    assert member(network, personas.observer).role == Role.OBSERVER


@pytest.mark.parametrize("by", ["super", "staff"])
def test_the_last_super_stays(network, personas, by):
    by = getattr(personas, by)
    last = member(network, personas.super)
    for attempt in (
        lambda: actions.member_remove(by=by, membership=last),
        lambda: actions.member_change_role(by=by, membership=last, role=Role.MANAGER),
    ):
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "last_super"
    # A Super whose account is closed does not count.
    second = factories.MembershipFactory(network=network, role=Role.SUPER, user__is_active=False)
    with pytest.raises(Conflict):
        actions.member_remove(by=by, membership=last)
    second.user.is_active = True
    second.user.save()
    actions.member_change_role(by=by, membership=last, role=Role.MANAGER, reason="steps back")
    assert member(network, personas.super).role == Role.MANAGER


def test_two_supers_cannot_demote_each_other(network, personas):
    second = factories.MembershipFactory(network=network, role=Role.SUPER)
    assert personas.super.roles and second.user.roles  # both have read their rights before either acts
    actions.member_change_role(by=personas.super, membership=second, role=Role.MANAGER)
    with pytest.raises(Conflict):
        actions.member_change_role(by=second.user, membership=member(network, personas.super), role=Role.MANAGER)


def test_removing_takes_groups_and_grants_of_that_network_only(network, personas):
    campaign = factories.CampaignFactory(advertiser__network=network)
    elsewhere = factories.CampaignFactory()
    factories.MembershipFactory(user=personas.limited, network=elsewhere.network, role=Role.LIMITED)
    personas.limited.__dict__.pop("_roles", None)
    group = factories.GroupFactory(network=network)
    personas.limited.groups.add(group)
    for obj in (campaign, campaign.advertiser, elsewhere):
        access_grant(by=None, obj=obj, to=personas.limited, action="change")
    access_grant(by=None, obj=campaign, to=group, action="operate")

    actions.member_remove(by=personas.super, membership=member(network, personas.limited), reason="left")

    again = factories.MembershipFactory(user=personas.limited, network=network, role=Role.LIMITED).user
    again = User.objects.get(pk=again.pk)
    assert not access.may(again, "view", campaign) and not access.may(again, "view", campaign.advertiser)
    assert access.may(again, "change", elsewhere)
    assert not again.groups.exists()


def test_the_page_lists_members_with_a_constant_number_of_queries(
    network, personas, client, django_assert_max_num_queries
):
    for role in (Role.OBSERVER, Role.MEMBER) * 20:
        factories.MembershipFactory(network=network, role=role)
    client.force_login(personas.super)
    client.get(reverse("accounts:members"))
    with django_assert_max_num_queries(8):
        answer = client.get(reverse("accounts:members"))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "super@acme.example" in page and "outsider@other.example" not in page
    found = client.get(reverse("accounts:members"), {"q": "manager@"}).content.decode()
    assert "manager@acme.example" in found and "super@acme.example" not in found.split("<table")[1]


def test_who_sees_and_who_changes_on_the_page(network, personas, client):
    expected = {"limited": (403, 403), "observer": (200, 403), "manager": (200, 403), "super": (200, 200)}
    for persona, (sees, adds) in expected.items():
        client.force_login(getattr(personas, persona))
        assert client.get(reverse("accounts:members")).status_code == sees, persona
        assert client.get(reverse("accounts:member-add")).status_code == adds, persona
    client.force_login(personas.outsider)
    other = reverse("accounts:member", args=[member(network, personas.observer).pk])
    assert client.get(other).status_code == 404
    assert (
        client.post(reverse("accounts:member-remove", args=[member(network, personas.observer).pk])).status_code == 404
    )


def test_remove_and_role_by_page(network, personas, client):
    client.force_login(personas.super)
    row = member(network, personas.member)
    assert client.post(reverse("accounts:member", args=[row.pk]), {"role": 30, "reason": "grew"}).status_code == 302
    assert member(network, personas.member).role == Role.MANAGER
    assert client.get(reverse("accounts:member-remove", args=[row.pk])).status_code == 405
    client.post(reverse("accounts:member-remove", args=[row.pk]), {"reason": "left"})
    assert not network.memberships.filter(user=personas.member).exists()
    assert AuditEvent.objects.get(event="member.remove").reason == "left"
    # The refusal of an action stands on the page.
    answer = client.post(reverse("accounts:member", args=[member(network, personas.super).pk]), {"role": 10})
    assert answer.status_code == 422 and "last Super" in answer.content.decode()


def test_the_invitation_goes_again_only_to_those_who_never_signed_in(
    network, personas, mailoutbox, tasks_at_once, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        row = actions.member_add(by=personas.super, network=network, email="new@example.com", role=Role.OBSERVER)
        actions.member_invite_again(by=personas.super, membership=row, site="https://portal.example")
    assert len(mailoutbox) == 2 and "https://portal.example/accounts/password/reset/key/" in mailoutbox[1].body
    with pytest.raises(Conflict):
        actions.member_invite_again(by=personas.super, membership=member(network, personas.observer))
