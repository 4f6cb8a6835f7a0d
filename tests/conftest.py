"""What all tests share: personas, and caches cleared between tests."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from campaigns.area_data import refresh
from campaigns.models import AreaPrefix
from portal.accounts.roles import Role

from . import factories

# Fixtures that tests of more than one folder use.
pytest_plugins = ["tests.api.client", "tests.outbound.house", "tests.rights_world", "tests.servers"]


def pytest_configure():
    """Static files straight from their folders: hashed names need `collectstatic`, which a test run does not do."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _clear_caches():
    """Content types differ between transactional tests; a cached one would point to a row of another run."""
    yield
    ContentType.objects.clear_cache()


@pytest.fixture(scope="session")
def _area_prefixes(django_db_setup, django_db_blocker):
    """The reference data as the migrations loaded it, to bring it back after a transactional test emptied all tables."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if not AreaPrefix.objects.exists():
            # A transactional test ran before the first that needs them (or the database was used before).
            refresh(AreaPrefix)
        with cursor.copy("COPY campaigns_areaprefix TO STDOUT") as copy:
            return b"".join(bytes(block) for block in copy)


@pytest.fixture
def places(_area_prefixes, db):
    """Area codes and cities, for tests of regions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM campaigns_areaprefix)")
        if not cursor.fetchone()[0]:
            with cursor.copy("COPY campaigns_areaprefix FROM STDIN") as copy:
                copy.write(_area_prefixes)


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """The real hasher takes a third of a second per user on purpose; tests make thousands of users."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
