"""Who works with the demo network: one user per role, an agency with grants, a group, platform staff, an integration."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password

from campaigns.actions import access_grant
from campaigns.models import Advertiser, Campaign
from portal.accounts.actions import group_create, group_member_add
from portal.accounts.actions.tokens import token_create, token_revoke
from portal.accounts.models import Membership, Network, User
from portal.accounts.roles import Role
from portal.audit.actions import record

LOGINS_FILE = "demo-logins.txt"
TOKEN_FILE = "traffic-token"  # noqa: S105 - a file's name
TOKEN_NAME = "traffic"  # noqa: S105
SWITCH = "switch@bluemesa.example"
STAFF = "staff@headroom.example"


@dataclass(frozen=True)
class Person:
    """A demo user: role in the first and, where given, the second network; grants as (advertiser or campaign, id, action)."""

    email: str
    name: str
    role: Role | None
    can: str
    second_role: Role | None = None
    group: str = ""
    grants: list[tuple[type, str, str]] = field(default_factory=list)


PEOPLE = [
    Person("dana@bluemesa.example", "Dana Whitfield", Role.SUPER, "Super: everything in the network", Role.OBSERVER),
    Person("marco@bluemesa.example", "Marco Reyes", Role.MANAGER, "Manager: caps, going live, releasing calls"),
    Person("mina@bluemesa.example", "Mina Okafor", Role.MEMBER, "Member: campaigns and bundles, but no caps"),
    Person("olive@bluemesa.example", "Olive Tran", Role.OBSERVER, "Observer: sees everything, changes nothing"),
    Person("ines@bluemesa.example", "Ines Falk", Role.OBSERVER, "Observer in the group “Insurance desk”: the caps of Lakeshore",
           group="Insurance desk"),
    Person("theo@northpine.example", "Theo Lindqvist", Role.LIMITED,
           "Limited (an agency): sees Brightfield Solar, sets the caps of Brightfield California",
           grants=[(Advertiser, "brightfield", "view"), (Campaign, "solar-california", "change_budget_caps")]),
    Person(STAFF, "Sam Keller", None, "Platform staff: every network"),
]  # fmt: skip
GROUP_GRANTS = [
    ("Insurance desk", Advertiser, "lakeshore", "change_budget_caps"),
    ("Insurance desk", Advertiser, "lakeshore", "view"),
]
WORDS = [
    "amber", "arbor", "aspen", "basin", "birch", "bison", "brook", "cabin", "canyon", "cedar", "cliff", "clover",
    "comet", "copper", "coral", "crane", "creek", "delta", "ember", "falcon", "fern", "field", "flint", "forest",
    "garnet", "grove", "harbor", "hazel", "heron", "indigo", "juniper", "lagoon", "lantern", "larch", "maple",
    "meadow", "mesa", "mist", "nectar", "oak", "orchard", "otter", "pebble", "pine", "prairie", "quartz", "raven",
    "reef", "ridge", "river", "saddle", "sage", "shore", "slate", "spruce", "summit", "thistle", "timber", "valley",
    "willow",
]  # fmt: skip


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whatever was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _user(person: Person) -> User:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        # Not by the actions: those invite by mail, and nobody reads these addresses.
        user = User.objects.create_user(person.email, name=person.name, is_platform_staff=person.role is None)
        record(event="user.create", obj=user, by=None, changes={"email": [None, person.email]})
    return user


def _member(user: User, network: Network, role: Role) -> None:
    _, created = Membership.objects.get_or_create(user=user, network=network, defaults={"role": role})
    if created:
        record(event="member.add", obj=user, by=None, network=network, changes={"role": [None, role.label]})


def people_load(network: Network, second: Network) -> None:
    """Make the users with their roles and grants, and write down how they sign in (var/demo-logins.txt)."""
    for person in PEOPLE:
        user = _user(person)
        if person.role is not None:
            _member(user, network, person.role)
        if person.second_role is not None:
            _member(user, second, person.second_role)
        # Roles are remembered per instance.
        user = User.objects.get(pk=user.pk)
        for model, own_id, action in person.grants:
            access_grant(by=None, obj=_object(model, network, own_id), to=user, action=action)
        if person.group:
            group = network.groups.filter(label=person.group).first()
            group = group or group_create(by=None, network=network, label=person.group)
            if not group.user_set.filter(pk=user.pk).exists():
                group_member_add(by=None, group=group, user=user)
    for label, model, own_id, action in GROUP_GRANTS:
        group = network.groups.get(label=label)
        access_grant(by=None, obj=_object(model, network, own_id), to=group, action=action)
    _logins(network)
    _token(network)


def _object(model: type, network: Network, own_id: str) -> Advertiser | Campaign:
    return model.objects.get(network=network, id_from_network=own_id)  # type: ignore[attr-defined, no-any-return]


def _logins(network: Network) -> None:
    """Keep the password that the file tells, or make one up: the portal may be reachable by others than its owner."""
    path = Path(settings.HEADROOM_VAR) / LOGINS_FILE
    users = User.objects.filter(email__in=[person.email for person in PEOPLE])
    first = users.get(email=PEOPLE[0].email)
    try:
        known = path.read_text(encoding="utf-8").partition("password: ")[2].split("\n")[0]
    except OSError:
        known = ""
    if known and check_password(known, first.password):
        return
    password = "-".join([*(secrets.choice(WORDS) for _ in range(3)), str(secrets.randbelow(9000) + 1000)])
    # One hash for all of them: hashing is slow by design.
    users.update(password=make_password(password))
    width = max(len(person.email) for person in PEOPLE)
    lines = [f"{person.email:{width}}  {person.can}" for person in PEOPLE]
    write_private(path, f"Demo logins of {network}, all with the password: {password}\n" + "\n".join(lines) + "\n")


def _token(network: Network) -> None:
    """The integration that `manage.py traffic` acts as, and its key (var/traffic-token)."""
    path = Path(settings.HEADROOM_VAR) / TOKEN_FILE
    user = User.objects.filter(email=SWITCH).first()
    if user is None:
        user = User.objects.create_user(SWITCH, name="Telephone switch (integration)")
    _member(user, network, Role.MEMBER)
    live = user.api_tokens.filter(name=TOKEN_NAME, revoked_at=None)
    if path.exists() and live.exists():
        return
    for token in live:
        token_revoke(by=None, token=token)
    _, key = token_create(by=None, user=user, name=TOKEN_NAME)
    write_private(path, f"{key}\n")
