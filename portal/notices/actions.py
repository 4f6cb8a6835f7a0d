"""Telling people things: once each, in the portal and by mail."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from portal.accounts.models import Network, User
from portal.errors import Invalid

from . import kinds
from .models import Notice, NoticePreference

logger = logging.getLogger(__name__)

# Minutes after which a mail that could not be sent is tried again; then it is left, the bell still shows it.
RETRY_MINUTES = (1, 5, 30, 120, 360)


def notify(
    *,
    users: Iterable[User],
    kind: str,
    title: str,
    body: str = "",
    link: str = "",
    network: Network | None = None,
    key: str = "",
    by_mail: bool = True,
) -> int:
    """Tell `users`, each once; call it inside the transaction whose change it tells of. Returns how many were told anew.

    kind: noun.verb. link: a page of the portal (its path). key: the same key is told to a user once and never again,
    whatever runs twice. Mails go out when the transaction has committed, by Celery, but to those who switched them off.
    """
    people = {user.pk: user for user in users if user.is_active}
    quiet = without_mail(people, kind) if by_mail else set(people)
    rows = [
        Notice(user=user, network=network, kind=kind, title=title[:200], body=body, link=link, key=key,
               by_mail=user.pk not in quiet)
        for user in people.values()
    ]  # fmt: skip
    with transaction.atomic():
        before = Notice.objects.filter(user__in=[row.user for row in rows], key=key).count() if key else 0
        Notice.objects.bulk_create(rows, ignore_conflicts=bool(key))
        told = len(rows) - before
        if told > 0 and len(quiet) < len(rows):
            transaction.on_commit(_wake)
    return max(0, told)


def without_mail(users: Iterable[int], kind: str) -> set[int]:
    """Of the users (their ids) those who want no mail for notices of `kind`. One query."""
    chosen: dict[int, tuple[int, bool]] = {}
    for row in NoticePreference.objects.filter(user__in=list(users)):
        # The longest prefix that fits decides.
        if kinds.covers(row.kind, kind) and len(row.kind) >= chosen.get(row.user_id, (-1, True))[0]:
            chosen[row.user_id] = (len(row.kind), row.by_mail)
    return {user for user, (_, by_mail) in chosen.items() if not by_mail}


def preferences_set(*, by: User, by_mail: dict[str, bool]) -> int:
    """Set the user's own mail switches: {kind or its noun: by mail}. Unknown kinds are refused. Returns how many changed."""
    known = {kind.prefix for kind in kinds.declared()}
    for kind in by_mail:
        if kind not in known:
            raise Invalid(f"“{kind[:60]}” is no kind of notice.", field="kind", code="unknown_kind")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        stored = dict(NoticePreference.objects.filter(user=by).values_list("kind", "by_mail"))
        changed = {kind: wanted for kind, wanted in by_mail.items() if stored.get(kind, True) != wanted}
        for kind, wanted in changed.items():
            NoticePreference.objects.update_or_create(user=by, kind=kind, defaults={"by_mail": wanted})
    return len(changed)


def _wake() -> None:
    """Ask for the mails to be sent now; the beat does it anyway, should the broker be away."""
    from .tasks import send_mails

    try:
        send_mails.delay()
    except Exception as error:
        logger.warning("the broker cannot be reached; mails go out with the next beat: %s", error)


def notices_read(*, by: User, notice: int | None = None) -> int:
    """Mark one of the user's own notices as read, or all. Returns how many were unread."""
    rows = Notice.objects.filter(user=by, read_at=None)
    return (rows if notice is None else rows.filter(pk=notice)).update(read_at=timezone.now())


def mails_send(*, limit: int = 200) -> int:
    """Mail what waits. Each row is locked while it is sent: two workers never send the same; a mail whose worker dies
    after the server took it and before the commit goes twice, never not at all. Returns how many went out."""
    sent = 0
    for _ in range(limit):
        with transaction.atomic():
            notice = (
                Notice.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("user", "network")
                .filter(
                    by_mail=True, mailed_at=None, mail_after__lte=timezone.now(), mail_tries__lte=len(RETRY_MINUTES)
                )
                .order_by("mail_after")
                .first()
            )
            if notice is None:
                break
            try:
                _mail(notice).send()
            except Exception as error:
                wait = RETRY_MINUTES[min(notice.mail_tries, len(RETRY_MINUTES) - 1)]
                logger.warning("a mail could not be sent, next try in %s min: %s", wait, error)
                notice.mail_after = timezone.now() + timedelta(minutes=wait)
            else:
                notice.mailed_at = timezone.now()
                sent += 1
            notice.mail_tries += 1
            notice.save(update_fields=["mailed_at", "mail_tries", "mail_after"])
    return sent


def _mail(notice: Notice) -> EmailMessage:
    where = f"{settings.PORTAL_URL.rstrip('/')}{notice.link}" if notice.link and settings.PORTAL_URL else ""
    text = "\n\n".join(part for part in (notice.body or notice.title, where) if part)
    prefix = f"[{notice.network}] " if notice.network else ""
    # One line, whatever a name in it holds: a subject with any kind of line break is refused, and the mail never goes out.
    return EmailMessage(" ".join(f"{prefix}{notice.title}".split()), text, to=[notice.user.email])
