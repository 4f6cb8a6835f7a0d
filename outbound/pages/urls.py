"""Addresses of the outbound pages."""

from django.urls import path

from . import batch, batches, calls, carriers, deliveries, do_not_call, lists, operate, queue, wizard

app_name = "outbound"

BATCH = "outbound/batches/<int:pk>"
CALL = f"{BATCH}/calls/<int:recipient>"

urlpatterns = [
    path("outbound/", batches.batch_index, name="list"),
    path("outbound/batches/new/", wizard.batch_new, name="new"),
    path(f"{BATCH}/", batch.batch_page, name="detail"),
    path(f"{BATCH}/setup/basics/", wizard.basics, name="basics"),
    path(f"{BATCH}/setup/schedule/", wizard.schedule, name="schedule"),
    path(f"{BATCH}/setup/pace/", wizard.pace, name="pace"),
    path(f"{BATCH}/setup/review/", wizard.review, name="review"),
    path(f"{BATCH}/lists/", lists.batch_lists, name="lists"),
    path(f"{BATCH}/lists/<int:job>/cancel/", lists.import_stop, name="import-cancel"),
    path(f"{BATCH}/lists/<int:job>/refused/", lists.import_refused, name="import-refused"),
    path(f"{BATCH}/start/", operate.start, name="start"),
    path(f"{BATCH}/move-start/", operate.move_start, name="move-start"),
    path(f"{BATCH}/unschedule/", operate.unschedule, name="unschedule"),
    path(f"{BATCH}/pause/", operate.pause, name="pause"),
    path(f"{BATCH}/resume/", operate.resume, name="resume"),
    path(f"{BATCH}/stop/", operate.stop, name="stop"),
    path(f"{BATCH}/hang-up/", operate.hang_up, name="hang-up"),
    path(f"{BATCH}/delete/", operate.delete, name="delete"),
    path(f"{BATCH}/calls/", calls.call_index, name="calls"),
    path(f"{BATCH}/export/", calls.export, name="export"),
    path(f"{CALL}/", calls.call_page, name="call"),
    path(f"{CALL}/cancel/", operate.cancel_call, name="call-cancel"),
    path(f"{CALL}/redial/", operate.redial_call, name="call-redial"),
    path(f"{CALL}/opt-out/", operate.opt_out, name="call-opt-out"),
    path(f"{BATCH}/results/", deliveries.delivery_index, name="deliveries"),
    path(f"{BATCH}/results/secret/", deliveries.secret_renew, name="result-secret"),
    path(f"{BATCH}/results/<int:delivery>/replay/", deliveries.replay, name="replay"),
    path("outbound/queue/", queue.pending, name="queue"),
    path("outbound/queue/stuck/", queue.stuck, name="stuck"),
    path("outbound/do-not-call/", do_not_call.list_index, name="do-not-call"),
    path("outbound/do-not-call/<int:pk>/", do_not_call.list_page, name="do-not-call-list"),
    path("outbound/do-not-call/<int:pk>/add/", do_not_call.add, name="do-not-call-add"),
    path("outbound/do-not-call/<int:pk>/remove/", do_not_call.remove, name="do-not-call-remove"),
    path("outbound/do-not-call/<int:pk>/delete/", do_not_call.delete, name="do-not-call-delete"),
    path("outbound/carriers/", carriers.carrier_index, name="carriers"),
    path("outbound/carriers/new/", carriers.carrier_new, name="carrier-new"),
    path("outbound/carriers/<int:pk>/", carriers.carrier_page, name="carrier"),
    path("outbound/carriers/<int:pk>/clear/", carriers.clear, name="carrier-clear"),
]
