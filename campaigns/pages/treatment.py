"""The page of a campaign's call treatment: its tree as an editor and a picture, and a test of it.

What is being edited travels with the form; nothing is written before Save. Every change is a POST of the one form, and its
button says what to do: `do` = a word, then what it is about (`open root.children[0]`).
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaigns.actions import campaign_update
from campaigns.drafts import futures_of, is_drafted
from campaigns.models import Campaign
from campaigns.queries.lint import treatment_findings
from campaigns.queries.treatment import treatment_of
from campaigns.treatment import edits
from campaigns.treatment.bundles import Json, implied
from campaigns.treatment.nodes import TYPES, Fault, Tree
from campaigns.treatment.validate import treatment_read
from portal.accounts import access
from portal.errors import Invalid, NotAllowed, Refused
from portal.web.pages import page, show

from .common import campaign_or_404, crumbs_of, rights_on, user_of
from .treatment_forms import KindForm, NodeForm, TestForm
from .treatment_view import ends_of, passed, picture_of, rows_of, tested, walked_in_words

MAX_DRAFT = 256 * 1024
# What only looks, and is for everybody who may see the campaign.
_LOOKS = ("open", "close", "test")


@dataclass
class _Draft:
    """What is being edited: the tree as it is now, the open node, and what is to be said about it."""

    campaign: Campaign
    tree: Json
    version: str
    opened: str = ""
    changed: bool = False
    problems: list[str] = field(default_factory=list)


@page
def campaign_treatment(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the tree; POST edits the draft, tests it, or saves it (`do`)."""
    campaign = campaign_or_404(request, pk, "overflow")
    # Of a campaign that is or was live, what is shown and changed are its pending changes.
    (campaign,) = futures_of([campaign])
    draft = _Draft(campaign, treatment_of(campaign), campaign.updated_at.isoformat())
    test = TestForm(None, country=campaign.network.country, zone=campaign.time_zone)
    walked: dict[str, Any] = {}
    if request.method == "POST":
        word, _, about = request.POST.get("do", "apply").partition(" ")
        if word not in _LOOKS:
            access.require(user_of(request), "change", campaign)
        _take(request, draft)
        if word == "save" and not draft.problems and _saved(request, draft):
            return redirect("campaigns:treatment", pk=pk)
        if word == "test":
            test = TestForm(request.POST, country=campaign.network.country, zone=campaign.time_zone)
            walked = _test(request, draft, test)
        elif not draft.problems:
            _edit(request, draft, word, about)
    return _show(request, draft, test, walked)


def _take(request: HttpRequest, draft: _Draft) -> None:
    """The draft as the form sends it, with what was typed into the open node."""
    sent = request.POST.get("tree", "")
    draft.version = request.POST.get("version") or draft.version
    draft.opened = request.POST.get("open", "")
    if not sent:
        return
    try:
        tree = json.loads(sent) if len(sent) <= MAX_DRAFT else None
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, dict) or _is_no_tree(tree):
        draft.problems.append("The tree that was sent cannot be read; this is the one that is in effect.")
        draft.opened = ""
        return
    draft.tree, draft.changed = tree, request.POST.get("changed") == "yes"
    before = json.dumps(draft.tree, sort_keys=True)
    if draft.opened and access.may(request.user, "change", draft.campaign):
        try:
            node = edits.node_at(draft.tree, draft.opened)
            form = NodeForm(node, request.POST, in_else=_in_else(draft.tree, draft.opened))
            if request.POST.get("settings") == draft.opened:
                draft.tree = edits.node_set(draft.tree, draft.opened, form.values())
        except (edits.CannotEdit, KeyError):
            draft.opened = ""
    if request.POST.get("whole") == "yes":
        draft.tree["record_calls"] = request.POST.get("record_calls") == "on"
    draft.changed = draft.changed or json.dumps(draft.tree, sort_keys=True) != before


def _is_no_tree(tree: Json) -> bool:
    """Whether nodes of it are none at all: then no form of ours has sent it."""
    read, faults = treatment_read(tree)
    shape = [fault for fault in faults if fault.field in ("", "children", "node_type")]
    return read is None or any(fault.code in ("invalid_type", "unknown_node_type") for fault in shape)


def _in_else(tree: Json, path: str) -> bool:
    """Whether a node is the else branch of a selection: there a Connect may name a campaign."""
    above = path.rpartition(".children[")[0]
    return bool(above) and edits.node_at(tree, above).get("node_type") == "SelectFromBundle"


def _edit(request: HttpRequest, draft: _Draft, word: str, about: str) -> None:
    """One change of the draft, named by the button."""
    kind, before = request.POST.get("kind", ""), draft.tree
    if kind not in edits.CHOICES:
        kind = "EndCall"
    try:
        match word:
            case "open":
                edits.node_at(draft.tree, about)
                draft.opened = about
            case "close":
                draft.opened = ""
            case "add":
                draft.tree, draft.opened = edits.node_add(draft.tree, draft.opened, kind, about)
            case "insert":
                draft.tree, draft.opened = edits.node_insert(draft.tree, draft.opened, kind)
            case "type":
                draft.tree = edits.node_change_type(draft.tree, draft.opened, kind)
            case "remove":
                draft.tree = edits.node_remove(draft.tree, draft.opened, keep=about == "keep")
                draft.opened = draft.opened if about == "keep" else draft.opened.rpartition(".children[")[0]
            case "move":
                draft.tree, draft.opened = edits.node_move(draft.tree, draft.opened, -1 if about == "up" else 1)
            case "standard":
                number = draft.campaign.destination_phone_number
                draft.tree, draft.opened = implied(is_bundle=draft.campaign.is_bundle, number=number), ""
    except edits.CannotEdit as error:
        draft.problems.append(str(error))
    draft.changed = draft.changed or draft.tree != before


def _saved(request: HttpRequest, draft: _Draft) -> bool:
    try:
        campaign = campaign_update(
            by=user_of(request), campaign=draft.campaign, version=draft.version, ivr_tree=draft.tree
        )
    except NotAllowed:
        raise
    except Refused as error:
        # The tree's own faults are listed in any case.
        own = error.problems if isinstance(error, Invalid) else [(None, error.code, error.message)]
        faults = {fault.message for fault in treatment_read(draft.tree, draft.campaign.network.country)[1]}
        draft.problems += [text for _field, _code, text in own if text not in faults]
        draft.problems.insert(0, "Nothing was saved yet.")
        return False
    if is_drafted(campaign):
        messages.success(request, "The call treatment is saved: it is in effect when the campaign goes live.")
    else:
        messages.success(request, "The call treatment is saved.")
    return True


def _test(request: HttpRequest, draft: _Draft, form: TestForm) -> dict[str, Any]:
    """The path of an imagined call; empty when the tree or the form has faults."""
    tree, faults = treatment_read(draft.tree, draft.campaign.network.country)
    if not form.is_valid():
        return {}
    if tree is None or faults:
        draft.problems.append("The tree has faults: mend them before you test it.")
        return {}
    steps, names = tested(draft.campaign, tree, form.cleaned_data)
    seen = access.restrict(Campaign.objects.filter(pk__in=names), request.user).values_list("pk", flat=True)
    words = walked_in_words(steps, names, names.keys() - set(seen))
    return {"steps": words, "paths": passed(steps), "end": ends_of(steps)}


def _panel(draft: _Draft, tree: Tree, faults: list[Fault]) -> dict[str, Any] | None:
    """The open node: its settings, and what can be done with it."""
    try:
        node = edits.node_at(draft.tree, draft.opened) if draft.opened else None
    except edits.CannotEdit:
        node = None
    if node is None or node.get("node_type") not in TYPES:
        return None
    form = NodeForm(node, in_else=_in_else(draft.tree, draft.opened))
    form.blame([fault for fault in faults if fault.path == draft.opened and fault.field != "children"])
    cls, children = TYPES[node["node_type"]], node.get("children") or []
    plain = [child for child in children if not child.get("keypress_failover_type")]
    roles = {child.get("keypress_failover_type") for child in children}
    siblings = 0
    if draft.opened != "root":
        siblings = len(edits.node_at(draft.tree, draft.opened.rpartition(".children[")[0])["children"])
    place = int(draft.opened.rpartition("[")[2].rstrip("]")) if draft.opened != "root" else 0
    return {
        "form": form, "label": cls.label, "kind": node["node_type"], "may_add": len(plain) < cls.most,
        "add_label": "Add the number for busy or no answer" if node["node_type"] in ("Connect", "RingGroup")
        else "Add the else branch" if node["node_type"] == "SelectFromBundle" else "Add below",
        "add_wrong": cls.has_failovers and "Wrong" not in roles, "add_none": cls.has_failovers and "None" not in roles,
        "may_up": place > 0, "may_down": place < siblings - 1, "is_failover": node["node_type"] == "Failover",
        "may_keep": any(child.get("node_type") != "Failover" for child in children),
        "kinds": KindForm(initial={"kind": node["node_type"]}),
    }  # fmt: skip


def _show(request: HttpRequest, draft: _Draft, test: TestForm, walked: dict[str, Any]) -> HttpResponse:
    campaign = draft.campaign
    tree, faults = treatment_read(draft.tree, campaign.network.country)
    if tree is None:
        tree, faults = treatment_read(treatment_of(campaign), campaign.network.country)
    assert tree is not None  # what stands in the database was valid when it was set
    rights = rights_on(request, campaign, "change", "manage_access")
    paths = walked.get("paths", set())
    campaigns = access.restrict(Campaign.objects.filter(network=campaign.network), request.user)
    return show(
        request, "campaigns/treatment.html", title="Call treatment", subtitle=campaign.name,
        crumbs=crumbs_of(campaign, inside=True), campaign=campaign, rights=rights, draft=draft,
        tree_json=json.dumps(draft.tree, ensure_ascii=False), root=rows_of(tree, draft.opened, faults, paths),
        picture=picture_of(tree, paths), faults=faults, panel=_panel(draft, tree, faults) if rights["change"] else None,
        findings=[] if faults else treatment_findings(campaign, tree), test=test, walked=walked,
        pending=treatment_of(campaign) != treatment_of(Campaign.objects.select_related("overflow").get(pk=campaign.pk)),
        overflows=campaigns.exclude(campaign_type="Bundled").order_by("name")[:300] if campaign.is_bundle else [],
        status=422 if draft.problems and request.method == "POST" else 200,
    )  # fmt: skip
