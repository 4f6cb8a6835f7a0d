"""Setting a call treatment in tests: over the draft and into force, as a manager would."""

from campaigns import actions


def change(campaign, by=None, **values):
    """Change terms of a campaign and take them live."""
    campaign = actions.campaign_update(by=by, campaign=campaign, **values)
    if campaign.draft is not None:
        campaign = actions.campaign_move_status(by=None, campaign=campaign, move="go_live")
    return campaign


def in_force(campaign, tree, **values):
    """Give a campaign this call treatment, in force now."""
    return change(campaign, ivr_tree=tree, **values)
