"""Celery tasks of accounts."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from celery import shared_task
from django.core.mail import send_mail
from django.core.management import call_command
from django.template.loader import render_to_string
from django.urls import reverse

from .models import Network, User


@shared_task(ignore_result=True)
def clear_expired() -> None:
    """Drop expired sessions."""
    call_command("clearsessions")


@shared_task(
    ignore_result=True,
    autoretry_for=(OSError,),
    retry_backoff=30,
    retry_backoff_max=3600,
    retry_kwargs={"max_retries": 8},
)
def invitation_send(user_id: int, network_id: int | None, site: str) -> None:
    """Tell somebody that he has an account (of a network, or as platform staff); without a password also how to set one.

    site: the portal's address, such as https://portal.example; empty where nobody knows it (a management command), and
    then the mail names the way instead of a link. The link is good for PASSWORD_RESET_TIMEOUT and for one use.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    network = Network.objects.filter(pk=network_id).first() if network_id else None
    if user is None or (network_id and not user.memberships.filter(network_id=network_id).exists()):
        return  # Gone again before the mail went out.
    link = ""
    if site and not user.has_usable_password():
        key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
        link = site.rstrip("/") + reverse("account_reset_password_from_key", kwargs=key)
    text = render_to_string(
        "accounts/mail/invitation.txt",
        {"user": user, "network": network, "site": site, "link": link, "is_new": not user.has_usable_password()},
    )
    what = network.name if network else "platform staff"
    send_mail(f"Headroom: your account ({what})", text, None, [user.email])
