"""Writing a campaign or an advertiser over the API: one transaction around the actions, all problems in one answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from rest_framework import serializers

from campaigns import actions
from campaigns.models import Advertiser, Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.api import etags
from portal.errors import Conflict, Invalid, NotFound

from .caps import caps_write
from .input import cleaned
from .serializers import AdvertiserInput, CampaignInput
from .terms import POLICIES, READ_ONLY, Problem, extra_of, values_of


@dataclass
class Written:
    """What a write did: the object, whether it is new, and warnings for the answer."""

    obj: Any
    created: bool
    warnings: list[dict[str, Any]] = field(default_factory=list)


def campaign_state(campaign: Campaign) -> str:
    """The part of a campaign's ETag that stands for what users edit: its terms and its caps."""
    return etags.state_of(
        campaign.pk, campaign.updated_at, sorted((cap.kind, cap.updated_at) for cap in campaign.caps.all())
    )  # fmt: skip


def advertiser_state(advertiser: Advertiser) -> str:
    return etags.state_of(advertiser.pk, advertiser.name, advertiser.id_from_network, advertiser.extra)


def _same_id(path: str | None, given: Any) -> str | None:
    """The id of the address; a different one in the body is a mistake."""
    if path is None:
        return given
    if given not in (None, "", path):
        raise Invalid(
            f"The address says “{path}”, the body “{given}”; an id does not change.", field="id_from_network",
            code="id_mismatch",
        )  # fmt: skip
    return path


@dataclass(frozen=True)
class Mode:
    """What a method may do: POST creates, PATCH changes, PUT (and POST of Network Integration versions) either."""

    create: bool
    update: bool


CREATE, UPDATE, UPSERT = Mode(True, False), Mode(False, True), Mode(True, True)


def advertiser_write(
    *, request: HttpRequest, by: User, network: Network, path_id: str | None, data: dict[str, Any], mode: Mode
) -> Written:
    """Create or change an advertiser as `mode` allows."""
    given = cleaned(AdvertiserInput, {name: value for name, value in data.items() if name not in READ_ONLY})
    own = _same_id(path_id, given.get("id_from_network"))

    def write() -> Written:
        found = None
        if mode.update and own:
            rows = access.restrict(Advertiser.objects.filter(network=network, id_from_network=own), by)
            found = Advertiser.objects.select_for_update(no_key=True).filter(pk__in=rows.values("pk")).first()
        etags.check_match(request, advertiser_state(found) if found else None)
        extra = extra_of(data, AdvertiserInput, found.extra if found else {})
        if found is not None:
            changed = actions.advertiser_update(by=by, advertiser=found, name=given.get("name"), extra=extra)
            return Written(changed, False)
        if not mode.create:
            raise NotFound("There is no such advertiser.", field="advertiser")
        made = actions.advertiser_create(
            by=by, network=network, name=given.get("name", ""), id_from_network=own, extra=extra
        )  # fmt: skip
        return Written(made, True)

    return _in_one(mode, write)


def _in_api_words(error: Invalid) -> Invalid:
    """The problems of an action under the names that the API has for its fields."""
    return Invalid.of([(_api_name(field), code, text) for field, code, text in error.problems])


def _api_name(field: str | None) -> str | None:
    """`payin_policies.2.condition` -> `advertiser_payin.policies.2.condition`."""
    first, dot, rest = (field or "").partition(".")
    for sent, side in POLICIES.items():
        if first == f"{side}_policies":
            return f"{sent}.policies{dot}{rest}"
    return "timezone" if field == "time_zone" else field


def _in_one(mode: Mode, write: Callable[[], Written]) -> Written:
    """Run `write` in one transaction. An upsert that meets another one creating the same runs again, and changes it."""
    for last in (False, True):
        try:
            with transaction.atomic():
                return write()
        except Invalid as error:
            raise _in_api_words(error) from error
        except (Conflict, IntegrityError) as error:
            raced = isinstance(error, IntegrityError) or error.code == "id_taken"
            if last or mode is not UPSERT or not raced:
                raise
    raise AssertionError


def campaign_write(
    *,
    request: HttpRequest,
    by: User,
    network: Network,
    advertiser_id: str | None,
    path_id: str | None,
    data: dict[str, Any],
    mode: Mode,
    serializer: type[serializers.Serializer] = CampaignInput,
    bundles_only: bool = False,
) -> Written:
    """Create or change a campaign with its caps, as `mode` allows: all of it or nothing.

    advertiser_id: of the address; None for bundles, where the body of a new one names it.
    """
    return _in_one(
        mode,
        lambda: _campaign_write(
            request, by, network, advertiser_id, path_id, dict(data), mode, serializer, bundles_only
        ),
    )


def _campaign_write(
    request: HttpRequest, by: User, network: Network, advertiser_id: str | None, path_id: str | None,
    data: dict[str, Any], mode: Mode, serializer: type[serializers.Serializer], bundles_only: bool,
) -> Written:  # fmt: skip
    own = path_id
    if own is None and mode.update:
        own = cleaned(serializer, {"id_from_network": data.get("id_from_network")}).get("id_from_network")
    found = _locked(by, network, advertiser_id, own, bundles_only) if mode.update and own else None
    etags.check_match(request, campaign_state(found) if found else None)
    if found is None and not mode.create:
        kind = "bundle" if bundles_only else "campaign"
        raise NotFound(f"There is no such {kind}.", field=kind)
    values, other = values_of(data, serializer, by=by, network=network, found=found)
    own = _same_id(path_id, other.get("id_from_network"))
    if bundles_only:
        other.setdefault("campaign_type", "Bundled")
    problems: list[Problem] = []
    created = found is None
    campaign = _create(by, network, advertiser_id, own, values, other) if found is None else _change(
        by, found, values, other, problems
    )  # fmt: skip
    if bundles_only and not campaign.is_bundle:
        problems.append(("campaign_type", "not_a_bundle", "Bundles are of type Bundled."))
    warnings = []
    if other["caps"] is not None:
        warnings = caps_write(by=by, campaign=campaign, given=other["caps"], problems=problems)
    if problems:
        raise Invalid.of(problems)
    return Written(campaign, created, warnings)


def _locked(by: User, network: Network, advertiser_id: str | None, own: str, bundles_only: bool) -> Campaign | None:
    rows = access.restrict(Campaign.objects.filter(network=network, id_from_network=own), by)
    if advertiser_id is not None:
        rows = rows.filter(advertiser__id_from_network=advertiser_id)
    if bundles_only:
        rows = rows.filter(campaign_type="Bundled")
    return Campaign.objects.select_for_update(no_key=True).filter(pk__in=rows.values("pk")).first()


def _create(
    by: User, network: Network, advertiser_id: str | None, own: str | None, values: dict[str, Any], other: dict[str, Any]
) -> Campaign:  # fmt: skip
    named = advertiser_id if advertiser_id is not None else other.get("advertiser")
    if not named:
        raise Invalid("Name the advertiser that the bundle belongs to.", field="advertiser", code="required")
    advertisers = Advertiser.objects.select_related("network").filter(network=network, id_from_network=named)
    advertiser = access.restrict(advertisers, by).first()
    if advertiser is None:
        raise NotFound("There is no such advertiser.", field="advertiser", code="unknown_advertiser")
    return actions.campaign_create(
        by=by, advertiser=advertiser, name=values.pop("name", ""), campaign_type=other.get("campaign_type", ""),
        id_from_network=own, **values,
    )  # fmt: skip


def _change(
    by: User, found: Campaign, values: dict[str, Any], other: dict[str, Any], problems: list[Problem]
) -> Campaign:  # fmt: skip
    if other.get("campaign_type", found.campaign_type) != found.campaign_type:
        problems.append(("campaign_type", "fixed", f"The type stays what it is: {found.campaign_type}."))
    # Whoever may only set caps sends nothing else, and needs no other right.
    if not values and other["caps"] is not None:
        return found
    try:
        with transaction.atomic():
            return actions.campaign_update(by=by, campaign=found, **values)
    except Invalid as error:
        problems += error.problems
        return found
