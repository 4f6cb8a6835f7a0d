"""Outbound in the admin: to read. Everything is written on its page or over the API; no list shows a key, a secret or a PIN."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join

from portal.web.object_admin import ObjectInline, ReadOnlyAdmin

from .models import (
    Attempt,
    AttemptEvent,
    Batch,
    Carrier,
    DoNotCallEntry,
    DoNotCallList,
    Recipient,
    ResultDelivery,
)
from .secrets import shown

# How an address narrows a list of millions to one batch; the batch's own page links there.
OF_BATCH = "batch__id__exact"
# As the admin's own links to related objects look.
LINK = "text-primary-600 dark:text-primary-500"


def _number(term: str) -> str:
    """What somebody types as a number, as it is stored; empty for anything else."""
    digits = "".join(char for char in term if char.isdigit() and char.isascii())
    return f"+{digits}" if digits else ""


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term.strip())
    except ValueError:
        return None


def _of_state(name: str, description: str) -> Any:
    """A column or field with what the row of counters and health beside an object says now."""

    @admin.display(description=description)
    def said(_admin: Any, obj: Any) -> Any:
        value = getattr(obj.state, name)
        return localize(timezone.localtime(value)) if isinstance(value, datetime) else "-" if value is None else value

    return said


@admin.display(description="Parameters")
def _given_parameters(_admin: Any, obj: Any) -> str:
    """Names and values, those that are secret hidden."""
    return json.dumps(shown(obj.parameters), ensure_ascii=False) if obj.parameters else "-"


@admin.register(Carrier)
class CarrierAdmin(ReadOnlyAdmin):
    """Accounts at carriers and their health. Of the keys the names alone are shown."""

    list_display = ("name", "kind", "network", "is_enabled", "calls_per_second", "lines", "backoff_until", "last_error")
    list_filter = ("kind", "is_enabled", ("network", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("network", "state")
    search_fields = ("name",)
    secret_fields = ("secrets", "settings")
    fields = readonly_fields = (
        "network", "name", "kind", "base_url", "settings", "keys_kept", "calls_per_second", "lines", "is_enabled", "created_at",
        "slowed", "backoff_until", "last_error", "last_error_at", "last_success_at",
    )  # fmt: skip

    @admin.display(description="Keys kept")
    def keys_kept(self, obj: Carrier) -> str:
        return ", ".join(sorted(obj.secrets)) or "-"

    @admin.display(description="Pace halved")
    def slowed(self, obj: Carrier) -> str:
        return f"{obj.state.slowed} times" if obj.state.slowed else "-"

    backoff_until = _of_state("backoff_until", "Left alone until")
    last_error = _of_state("last_error", "Last error")
    last_error_at = _of_state("last_error_at", "Last error at")
    last_success_at = _of_state("last_success_at", "Last success at")


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """Batches with their exact counters. Set up, started and stopped on their pages."""

    list_display = ("name", "status", "network", "carrier", "ani", "waiting", "live", "ended", "created_at")
    list_filter = ("status", ("network", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("network", "carrier", "state")
    search_fields = ("name", "=ani")
    secret_fields = ("result_secret", "parameters")
    fieldsets = (
        (None, {"fields": ("network", "campaign", "name", "status", "pause_reason", "carrier", "ani", "pages")}),
        (
            "Calls",
            {"fields": ("waiting", "live", "completed", "failed", "other_ends", "unknown", "attempts", "claimed_at")},
        ),
        (
            "When and how fast",
            {
                "fields": (
                    "starts_at", "expires_at", "hours", "holidays", "catch_up", "calls_per_second", "lines", "priority",
                    "max_attempts", "retry_interval", "retries", "lists",
                ),
            },
        ),
        (
            "What is called and told",
            {
                "fields": (
                    "start_url", "result_url", "result_format", "result_each_attempt", "result_disabled_at",
                    "message_reference", "given_parameters",
                ),
            },
        ),
        ("Record", {"fields": ("created_by", "created_at", "started_at", "finished_at")}),
    )  # fmt: skip
    readonly_fields = tuple(name for _, part in fieldsets for name in part["fields"])

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("result_secret")

    @admin.display(description="Pages")
    def pages(self, obj: Batch) -> Any:
        """The batch's own page, and the lists here that are cut to it."""
        links = [("The batch's page", reverse("outbound:detail", args=[obj.pk]))]
        for label, model in (("People", "recipient"), ("Attempts", "attempt"), ("Results", "resultdelivery")):
            links.append((label, f"{reverse(f'admin:outbound_{model}_changelist')}?{OF_BATCH}={obj.pk}"))
        return format_html_join(" · ", f'<a class="{LINK}" href="{{}}">{{}}</a>', ((at, label) for label, at in links))

    waiting = _of_state("pending", "Waiting")
    live = _of_state("live", "Live")
    ended = _of_state("ended", "Ended")
    completed = _of_state("completed", "Completed")
    failed = _of_state("failed", "Failed")
    unknown = _of_state("unknown", "Unknown")
    attempts = _of_state("attempts", "Attempts")
    claimed_at = _of_state("claimed_at", "Last claimed")

    @admin.display(description="Ended otherwise")
    def other_ends(self, obj: Batch) -> str:
        state = obj.state
        return f"{state.canceled} canceled, {state.expired} expired, {state.suppressed} suppressed"

    @admin.display(description="Do-not-call lists")
    def lists(self, obj: Batch) -> str:
        return ", ".join(obj.do_not_call_lists.values_list("name", flat=True)) or "-"

    given_parameters = _given_parameters


@admin.register(Recipient)
class RecipientAdmin(ReadOnlyAdmin):
    """People of batches, millions of them: found by their number, or from their batch."""

    list_display = ("number", "batch", "state", "reason", "outcome", "dialed", "due_at")
    list_filter = ("state", "outcome")
    list_select_related = ("batch",)
    search_fields = ("=number",)
    search_help_text = "A whole number, such as +1 303 555 0123"
    secret_fields = ("parameters",)
    fields = readonly_fields = (
        "batch", "number", "state", "reason", "outcome", "attempts", "dialed", "due_at", "zones", "ani", "given_parameters",
        "history",
    )  # fmt: skip

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """As an index has them: by number within a batch, else the newest first."""
        return ("number",) if OF_BATCH in request.GET else ("-id",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.filter(number=_number(search_term)) if search_term.strip() else queryset), False

    given_parameters = _given_parameters

    @admin.display(description="History")
    def history(self, obj: Recipient) -> Any:
        address = reverse("outbound:call", args=[obj.batch_id, obj.pk])
        return format_html('<a class="{}" href="{}">Every attempt, event and result of this call</a>', LINK, address)


class EventInline(ObjectInline):
    model = AttemptEvent
    show_title = False
    fields = readonly_fields = ("kind", "source", "at", "heard_at", "heard")
    verbose_name_plural = "what was heard of it"


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Every dialing, with the carrier's own code beside our word for it."""

    list_display = (
        "recipient", "number", "batch", "state", "outcome", "cause", "callee_type", "duration", "claimed_at", "carrier",
    )  # fmt: skip
    list_filter = ("state", "outcome", "callee_type")
    list_select_related = ("recipient", "batch", "carrier")
    search_fields = ("=id", "=carrier_call_id")
    search_help_text = "Our id of the attempt, or the carrier's"
    ordering = ("-recipient_id", "-number")
    inlines = (EventInline,)
    fields = readonly_fields = (
        "id", "recipient", "batch", "carrier", "number", "state", "outcome", "cause", "callee_type", "duration", "carrier_call_id",
        "claimed_at", "dial_at", "placed_at", "ringing_at", "answered_at", "ended_at", "hangup_asked_at", "worker", "look_at",
        "looks",
    )  # fmt: skip

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        ours = _uuid(search_term)
        found = queryset.filter(pk=ours) if ours else queryset.filter(carrier_call_id=search_term.strip())
        return found, False


@admin.register(ResultDelivery)
class ResultDeliveryAdmin(ReadOnlyAdmin):
    """Results on their way. Sent again from the batch's page of results."""

    list_display = ("message_id", "batch", "recipient", "state", "tries", "last_status", "next_at", "created_at")
    list_filter = ("state",)
    list_select_related = ("batch", "recipient")
    fields = readonly_fields = (
        "message_id", "batch", "recipient", "attempt", "state", "tries", "next_at", "last_status", "last_error", "created_at",
        "delivered_at",
    )  # fmt: skip


@admin.register(DoNotCallList)
class DoNotCallListAdmin(ReadOnlyAdmin):
    """Lists of who must not be called; what stands in them is a list of its own."""

    list_display = ("name", "network", "applies_to_all", "collects_opt_outs", "created_at")
    list_filter = ("applies_to_all", ("network", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("network",)
    search_fields = ("name",)
    fields = readonly_fields = ("network", "name", "applies_to_all", "collects_opt_outs", "created_at", "entries")

    @admin.display(description="Numbers and prefixes")
    def entries(self, obj: DoNotCallList) -> Any:
        address = f"{reverse('admin:outbound_donotcallentry_changelist')}?list__id__exact={obj.pk}"
        return format_html('<a class="{}" href="{}">What stands in it</a>', LINK, address)


@admin.register(DoNotCallEntry)
class DoNotCallEntryAdmin(ReadOnlyAdmin):
    """Numbers and prefixes (+1800*) of the lists."""

    list_display = ("pattern", "list", "note", "added_by", "added_at")
    list_select_related = ("list", "added_by")
    search_fields = ("=pattern",)
    search_help_text = "A whole number, or a prefix with its *"
    ordering = ("list_id", "pattern")
    fields = readonly_fields = ("list", "pattern", "note", "added_by", "added_at")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        star = "*" if search_term.strip().endswith("*") else ""
        return (queryset.filter(pattern=_number(search_term) + star) if search_term.strip() else queryset), False
