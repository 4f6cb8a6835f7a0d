"""What is likely to be wrong with a bundle, before a caller finds out."""

from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.choices import CapKind, Distribution
from campaigns.models import Campaign, Cap
from campaigns.regions import is_everywhere
from campaigns.treatment.lint import remarks
from campaigns.treatment.nodes import Tree
from campaigns.treatment.validate import selections

from .summaries import BundleRow
from .treatment import tree_of


@dataclass(frozen=True)
class Finding:
    """One finding: stable code, plain words with the way out, the campaign concerned. kind: bad = calls are lost now."""

    code: str
    text: str
    kind: str = "warn"
    campaign: Campaign | None = None


def _never_open(campaign: Campaign) -> bool:
    return not campaign.operating_24_7 and not campaign.hours


def _has_else(tree: Tree) -> bool:
    """Whether every selection of the tree has an else branch, be it an overflow campaign or not."""
    nodes = selections(tree)
    return bool(nodes) and all(node.child(0) is not None for node in nodes)


def treatment_findings(campaign: Campaign, tree: Tree) -> list[Finding]:
    """What is likely to be wrong with a campaign's call treatment; a missing else branch is `no_overflow` of the bundle."""
    names = frozenset(str(named["name"]) for named in campaign.named_regions)
    return [
        Finding(remark.code, f"Call treatment, {remark.path}: {remark.text}", remark.kind)
        for remark in remarks(tree, is_bundle=campaign.is_bundle, regions=names)
        if remark.code != "else_missing"
    ]


def _overflow(bundle: Campaign, tree: Tree) -> list[Finding]:
    overflow = bundle.overflow
    if overflow is None and _has_else(tree):
        return []
    if overflow is None:
        text = (
            "There is no overflow campaign: a call that finds every destination full, closed or out "
            "of region is lost. Choose one under Edit."
        )
        return [Finding("no_overflow", text)]
    found = []
    if not overflow.is_live:
        status = overflow.get_status_display().lower()
        text = (
            f"The overflow campaign “{overflow}” is {status}: calls that need it are lost. Take it "
            "live or choose another."
        )
        found.append(Finding("overflow_not_live", text, "bad", overflow))
    if _never_open(overflow):
        text = f"The overflow campaign “{overflow}” has no opening hours at all, so it is always closed."
        found.append(Finding("overflow_never_open", text, "bad", overflow))
    elif not overflow.operating_24_7:
        text = (
            f"The overflow campaign “{overflow}” is not open around the clock: outside its hours calls "
            "that need it are lost."
        )
        found.append(Finding("overflow_has_hours", text, "warn", overflow))
    if Cap.objects.filter(campaign=overflow, kind=CapKind.CONCURRENT_CALLS, amount=0).exists():
        text = (
            f"The overflow campaign “{overflow}” has a concurrent call cap of 0. Overflow calls are "
            "not capped, so it still gets them."
        )
        found.append(Finding("overflow_cap_zero", text, "warn", overflow))
    return found


def _destination(bundle: Campaign, row: BundleRow, some_regional: bool) -> list[Finding]:
    campaign = row.destination
    found = []
    if _never_open(campaign):
        text = (
            f"“{campaign}” has no opening hours at all: it never takes a call. Give it hours, or open "
            "it around the clock."
        )
        found.append(Finding("destination_never_open", text, "warn", campaign))
    if row.slots.cap == 0:
        text = f"“{campaign}” has a concurrent call cap of 0, which closes it. Clear the cap if you meant “no limit”."
        found.append(Finding("destination_cap_zero", text, "warn", campaign))
    if some_regional and is_everywhere(campaign.named_regions, bundle.network.country):
        text = (
            f"“{campaign}” still has the whole country among its regions, so every caller is in region "
            "there, while other destinations are regional."
        )
        found.append(Finding("destination_whole_country", text, "warn", campaign))
    return found


def lint(*, bundle: Campaign, rows: Sequence[BundleRow]) -> list[Finding]:
    """The findings on a bundle with its destinations (`summaries.bundle_rows`), the gravest first."""
    tree = tree_of(bundle)
    found = [*_overflow(bundle, tree), *treatment_findings(bundle, tree)]
    if not rows:
        found.append(Finding("no_destinations", "The bundle has no destinations: add at least one.", "bad"))
        return sorted(found, key=lambda finding: finding.kind != "bad")
    if not any(row.destination.is_live for row in rows):
        text = "None of the destinations is live: every call goes to the overflow campaign or is lost."
        found.append(Finding("no_live_destination", text, "bad"))
    if bundle.distribution == Distribution.WEIGHTED and all(row.weight == 0 for row in rows):
        text = "All weights are 0, so no destination is ever drawn. Give at least one a weight above 0."
        found.append(Finding("weights_all_zero", text, "bad"))
    if not _has_else(tree) and all(row.slots.cap is not None for row in rows):
        total = sum(row.slots.cap or 0 for row in rows)
        text = (
            f"Every destination has a concurrent call cap and there is no overflow: call {total + 1} "
            "at once is refused."
        )
        found.append(Finding("all_capped", text))
    country = bundle.network.country
    regional = any(
        row.destination.named_regions and not is_everywhere(row.destination.named_regions, country) for row in rows
    )
    for row in rows:
        found += _destination(bundle, row, regional)
    return sorted(found, key=lambda finding: finding.kind != "bad")
