"""What every admin page of the portal stands on: rights per object, writes through actions, one audit trail."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms.models import construct_instance
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator

from portal.accounts import access
from portal.errors import Invalid, Refused


def may_enter(request: HttpRequest) -> bool:
    """Platform staff and members of some network; to anybody else the admin is empty."""
    user: Any = request.user
    return bool(user.is_authenticated and user.is_active and (access.stands_above(user) or user.roles))


def problems_of(error: Refused) -> list[tuple[str | None, str, str]]:
    """Every problem that a refusal names: (field, code, message)."""
    return error.problems if isinstance(error, Invalid) else [(error.field, error.code, error.message)]


class ActionForm(forms.ModelForm):
    """A form whose rules are the action's: what the action refused stands at the fields that it named."""

    refused: ClassVar[Refused | None] = None
    # The action's name of a field -> the form's, where they differ.
    field_names: ClassVar[Mapping[str, str]] = {}

    def _post_clean(self) -> None:
        """Take the values over without the model's own checks: the action makes them, in plain words."""
        options: Any = self._meta  # type: ignore[attr-defined]
        self.instance = construct_instance(self, self.instance, options.fields, options.exclude)

    def clean(self) -> dict[str, Any] | None:
        if self.refused is not None:
            for field, code, message in problems_of(self.refused):
                name = self.field_names.get(field or "", field)
                self.add_error(name if name in self.fields else None, forms.ValidationError(message, code=code))
        return super().clean()


class RestrictedMixin:
    """Choices of related objects: only those that the user may see (or may do `choices` on)."""

    # Field -> the action that the user must hold on what he chooses; `view` where nothing is said.
    choices: ClassVar[Mapping[str, str]] = {}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        model = db_field.remote_field.model
        if access.is_registered(model):
            queryset = kwargs.get("queryset", model._default_manager.all())
            kwargs["queryset"] = access.restrict(queryset, request.user, self.choices.get(db_field.name, "view"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ObjectAdmin(RestrictedMixin, ModelAdmin):
    """Rows through `access.restrict`, rights through `access.may`, writes through `write` and `erase`.

    An action that refuses leaves nothing written and becomes the form's errors. There are no bulk actions, nothing is
    written by GET, and what happened stands in the audit trail (the History button leads there), not in a log of its own.
    """

    form = ActionForm
    # The right behind each of Django's; subclasses say where it is another, None where nobody has it here.
    rights: ClassVar[Mapping[str, str | None]] = {"view": "view", "change": "change", "delete": "delete"}
    secret_fields: ClassVar[tuple[str, ...]] = ()
    list_per_page = 50
    list_select_related: Any = True
    show_full_result_count = False

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Model:
        """Call the action with the form's values; return the object as it now is."""
        raise NotImplementedError

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """Call the action that deletes or removes."""
        raise NotImplementedError

    # Rights.

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return access.restrict(super().get_queryset(request), request.user)

    def _may(self, request: HttpRequest, right: str, obj: Any) -> bool:
        action = self.rights.get(right)
        if action is None or not may_enter(request):
            return False
        return obj is None or access.may(request.user, action, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Nobody guesses a secret letter by letter through the list's filters."""
        if lookup.split("__")[0] in self.secret_fields:
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    # Writes.

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"refused": getattr(request, "refused", None)})

    def _changeform_view(self, request: HttpRequest, *args: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                return super()._changeform_view(request, *args)  # type: ignore[misc]
        except Refused as error:
            # Once more with the refusal in hand: the form shows it beside what was typed, and is not valid.
            request.refused = error  # type: ignore[attr-defined]
            return super()._changeform_view(request, *args)  # type: ignore[misc]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        written = self.write(request, obj, form, change)
        obj.__dict__.update(written.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Rows below are read-only unless a subclass hands them to their actions."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        # Kept for Django's own answer, which names what was deleted by its key.
        pk = obj.pk
        self.erase(request, obj)
        obj.pk = pk

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().delete_view(request, object_id, extra_context)
        except Refused as error:
            messages.error(request, error.message)
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[object_id]))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Only the object itself: whether it may go is the action's to say, and its rows below are not for this page."""
        return [str(obj) for obj in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    # One audit trail, and the same answers as everywhere.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return []

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        query = urlencode({"object": f"{self.opts.label_lower}:{object_id}"})
        return HttpResponseRedirect(f"{reverse('accounts:audit')}?{query}")

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404(f"There is no such {opts.verbose_name}.")


class ReadOnlyAdmin(ObjectAdmin):
    """What only the machinery writes, however much: its lists go from page to page and count nothing."""

    paginator = InfinitePaginator
    rights: ClassVar[Mapping[str, str | None]] = {"view": "view"}


class ObjectInline(RestrictedMixin, TabularInline):
    """Rows below an object; `right` is the action on that object that changing them needs (None: read-only)."""

    right: ClassVar[str | None] = None
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return access.restrict(rows, request.user) if access.is_registered(self.model) else rows

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A field of a row has no label, only its column's head: it is told to who cannot see that."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and field.label:
            widget = field.widget
            getattr(widget, "widget", widget).attrs.setdefault("aria-label", str(field.label))
        return field

    def _may_change(self, request: HttpRequest, obj: Any) -> bool:
        return self.right is not None and obj is not None and access.may(request.user, self.right, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_enter(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request, obj)
