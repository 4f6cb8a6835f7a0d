"""A limit in the way, as pages show it: the figures, who may raise it, and the button that leads to whoever can."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import User
from promo_numbers.actions import SENTENCE, LimitReached
from promo_numbers.choices import Ceiling
from promo_numbers.models import CampaignNumbers
from promo_numbers.queries import LimitView, limits_on_adding


def link(name: str, *args: object, **query: object) -> str:
    """The address of a page that may not be installed; empty then."""
    try:
        address = reverse(name, args=args)
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode(query)}" if query else address


def may_raise(user: User, campaign: Campaign) -> bool:
    """Whether `user` may set “Promo Numbers Allowed” of the campaign."""
    return access.may(user, "raise_number_limit", CampaignNumbers(campaign=campaign))


@dataclass(frozen=True)
class CeilingShown:
    """One ceiling with the way to more: what stands on the button, and where it leads (empty: there is no such page)."""

    view: LimitView
    button: str
    address: str


def ceiling_shown(view: LimitView, user: User, campaign: Campaign | None) -> CeilingShown:
    """The button of a ceiling: its form for whoever may raise it, a request for the others."""
    if view.ceiling == Ceiling.CAMPAIGN and campaign is not None and may_raise(user, campaign):
        return CeilingShown(view, "Raise the limit", link("numbers:limit", campaign.pk))
    if view.ceiling != Ceiling.CAMPAIGN and access.stands_above(user):
        return CeilingShown(view, "Set the network's limits", link("numbers:limits-edit"))
    query = {"ceiling": view.ceiling} | ({"campaign": campaign.pk} if campaign is not None else {})
    return CeilingShown(view, "Ask for more", link("numbers:request-new", **query))


@dataclass(frozen=True)
class Refusal:
    """A refused add, or one that would be: the sentence word for word, and each ceiling in the way."""

    sentence: str
    ceilings: list[CeilingShown]
    asked: int = 1


def refusal_of(error: LimitReached, user: User) -> Refusal:
    """What an action refused, for the page."""
    return Refusal(error.message, [ceiling_shown(view, user, error.campaign) for view in error.reached], error.asked)


def refusal_ahead(campaign: Campaign, user: User) -> Refusal | None:
    """What would refuse one more direct number as things stand; None while there is room."""
    reached = [view for view in limits_on_adding(campaign, dynamic=False) if not view.lets_in(1)]
    return Refusal(SENTENCE, [ceiling_shown(view, user, campaign) for view in reached]) if reached else None
