"""Carriers' accounts of a network, and the text messages that callers accepted."""

import re

from django.db import transaction

from campaigns.choices import VoiceKind
from campaigns.models import VoiceAccount
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import record
from portal.errors import Invalid, NotFound
from portal.sealing import seal

_SID = re.compile(r"^[A-Za-z0-9_-]{6,64}$")


def voice_account_set(
    *, by: User | None, network: Network, account_sid: str, secret: str, kind: str = VoiceKind.TWILIO
) -> tuple[VoiceAccount, bool]:
    """Add a carrier's account to a network, or give it a new secret; (account, whether it is new). Needs role Super.

    secret: the token that signs the carrier's webhooks and opens its API; stored encrypted and never shown again.
    """
    problems: list[tuple[str | None, str, str]] = []
    access.require(by, "add", VoiceAccount(network=network))
    if kind not in VoiceKind.values:
        problems.append(("kind", "unknown_kind", f"“{kind}” is not a carrier; use {', '.join(VoiceKind.values)}."))
    if not _SID.match(account_sid):
        problems.append(("account_sid", "invalid", "An account SID has 6 to 64 letters and digits."))
    if not 8 <= len(secret) <= 200:
        problems.append(("secret", "invalid", "The account's token has 8 to 200 characters."))
    if problems:
        raise Invalid.of(problems)
    with transaction.atomic():
        account, created = VoiceAccount.objects.select_for_update().update_or_create(
            network=network, kind=kind, account_sid=account_sid, defaults={"secret": seal(secret)}
        )
        event = "voice_account.create" if created else "voice_account.update"
        record(
            event=event, obj=account, by=by, changes={"account_sid": [None if created else account_sid, account_sid]}
        )
    return account, created


def voice_account_remove(*, by: User | None, network: Network, account_sid: str) -> None:
    """Forget an account: its webhooks are refused from now on. Needs role Super."""
    with transaction.atomic():
        account = VoiceAccount.objects.select_for_update().filter(network=network, account_sid=account_sid).first()
        if account is None:
            access.require(by, "delete", VoiceAccount(network=network))
            raise NotFound("There is no such account.", field="account_sid")
        access.require(by, "delete", account)
        record(event="voice_account.delete", obj=account, by=by, changes={"account_sid": [account_sid, None]})
        account.delete()
