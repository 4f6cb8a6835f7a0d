"""Addresses of outbound under /api/<version>/."""

from django.urls import path

from . import batches, deliveries, do_not_call, imports, older, recipients, stuck

BATCH = "<int:network_id>/batches/<int:batch>"
RECIPIENT = f"{BATCH}/recipients/<int:recipient>"
LIST = "<int:network_id>/do_not_call_lists/<int:list>"
CALL = "<int:network_id>/outbound_calls/<int:call>"

urlpatterns = [
    path("<int:network_id>/batches.json", batches.BatchesView.as_view()),
    path(f"{BATCH}.json", batches.BatchView.as_view()),
    path(f"{BATCH}/preview.json", batches.PreviewView.as_view()),
    *(path(f"{BATCH}/{move}.json", view.as_view()) for move, view in batches.MOVE_VIEWS.items()),
    path(f"{BATCH}/recipients.json", recipients.RecipientsView.as_view()),
    path(f"{RECIPIENT}.json", recipients.RecipientView.as_view()),
    path(f"{RECIPIENT}/cancel.json", recipients.RecipientCancelView.as_view()),
    path(f"{RECIPIENT}/redial.json", recipients.RecipientRedialView.as_view()),
    path(f"{RECIPIENT}/opt_out.json", recipients.RecipientOptOutView.as_view()),
    path(f"{BATCH}/attempts.json", recipients.AttemptsView.as_view()),
    path(f"{BATCH}/imports.json", imports.ImportsView.as_view()),
    path(f"{BATCH}/imports/<int:job>.json", imports.ImportView.as_view()),
    path(f"{BATCH}/imports/<int:job>/cancel.json", imports.ImportCancelView.as_view()),
    path(f"{BATCH}/result_secret.json", deliveries.ResultSecretView.as_view()),
    path(f"{BATCH}/deliveries.json", deliveries.DeliveriesView.as_view()),
    path(f"{BATCH}/deliveries/<int:delivery>/replay.json", deliveries.DeliveryReplayView.as_view()),
    path("<int:network_id>/stuck_calls.json", stuck.StuckCallsView.as_view()),
    path("<int:network_id>/do_not_call_lists.json", do_not_call.ListsView.as_view()),
    path(f"{LIST}.json", do_not_call.ListView.as_view()),
    path(f"{LIST}/entries.json", do_not_call.EntriesView.as_view()),
    path(f"{LIST}/entries/remove.json", do_not_call.EntriesRemoveView.as_view()),
    path("<int:network_id>/outbound_calls.json", older.CallsView.as_view()),
    path(f"{CALL}.json", older.CallView.as_view()),
    path(f"{CALL}/cancel.json", older.CallCancelView.as_view()),
]
