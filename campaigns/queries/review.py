"""What the last look before going live says of a campaign as it will be."""

from campaigns.models import Campaign
from campaigns.pricing import policies_of, price_range
from portal.accounts.models import User

from .lint import Finding, lint, treatment_findings
from .summaries import bundle_rows
from .treatment import tree_of


def review_findings(*, future: Campaign, user: User) -> list[Finding]:
    """What is likely to be wrong, the gravest first. future: `drafts.future_of` the campaign, its overflow at hand."""
    if future.is_bundle:
        return lint(bundle=future, rows=bundle_rows(bundle=future, user=user))
    found = treatment_findings(future, tree_of(future))
    if not future.operating_24_7 and not future.hours:
        text = "It has no opening hours at all, so it never takes a call. Give it hours, or open it around the clock."
        found.append(Finding("never_open", text, "bad"))
    most_paid, least_received = (
        price_range(policies_of(future, "payout"))[1],
        price_range(policies_of(future, "payin"))[0],
    )
    if 0 < least_received < most_paid:
        text = f"A call can cost more ({most_paid:.2f} {future.currency}) than it brings ({least_received:.2f} {future.currency})."
        found.append(Finding("costs_more_than_it_brings", text))
    return sorted(found, key=lambda finding: finding.kind != "bad")
