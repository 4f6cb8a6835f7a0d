"""What a user was told."""

from django.db.models import QuerySet

from portal.accounts.models import User

from . import kinds
from .models import Notice, NoticePreference

# More unread notices than this are shown as “99+”: nobody counts on, and the query stays cheap.
MOST_COUNTED = 100
NEWEST = 8


def notices_of(user: User) -> QuerySet[Notice]:
    """The user's own notices; nobody sees those of others."""
    return Notice.objects.filter(user=user).select_related("network")


def unread_count(user: User) -> int:
    """How many the user has not read, MOST_COUNTED at most. One statement, on an index of unread ones alone."""
    return Notice.objects.filter(user=user, read_at=None)[:MOST_COUNTED].count()


def newest(user: User) -> list[Notice]:
    return list(notices_of(user).order_by("-id")[:NEWEST])


def switches_of(user: User) -> list[tuple[kinds.Kind, bool]]:
    """Every declared kind with whether the user gets it by mail."""
    stored = dict(NoticePreference.objects.filter(user=user).values_list("kind", "by_mail"))
    return [(kind, stored.get(kind.prefix, stored.get("", True))) for kind in kinds.declared()]
