"""What all tests share: personas, and caches cleared between tests."""

from types import SimpleNamespace

import pytest
from django.contrib.contenttypes.models import ContentType

from portal.accounts.roles import Role

from . import factories


@pytest.fixture(autouse=True)
def _clear_caches():
    """Content types differ between transactional tests; a cached one would point to a row of another run."""
    yield
    ContentType.objects.clear_cache()


@pytest.fixture
def network(db):
    return factories.NetworkFactory(name="Acme")


@pytest.fixture
def personas(network):
    """One user of each kind: limited, observer, member, manager, super, outsider (of another network), staff."""
    people = {
        role.name.lower() if role != Role.SUPER else "super": factories.MembershipFactory(
            network=network, role=role, user__email=f"{role.name.lower()}@acme.example", user__name=role.name.title()
        ).user
        for role in Role
    }
    people["outsider"] = factories.MembershipFactory(role=Role.SUPER, user__email="outsider@other.example").user
    people["staff"] = factories.UserFactory(email="staff@headroom.example", is_platform_staff=True)
    return SimpleNamespace(**people)
