"""Addresses of `approvals` inside a workspace; the queue is its home page."""

from django.urls import path

from approvals.views import claiming, deciding, desk, managing, pausing, switching, undoing, working

urlpatterns = [
    path("", desk.queue, name="queue"),
    path("new/", desk.news, name="news"),
    path("proposals/<int:pk>/", desk.proposal, name="proposal"),
    path("proposals/<int:pk>/approve/", deciding.approve, name="approve"),
    path("proposals/<int:pk>/reject/", deciding.reject, name="reject"),
    path("proposals/<int:pk>/resolve/", deciding.resolve_unknown, name="resolve_unknown"),
    path("proposals/<int:pk>/send-back/", deciding.send_back, name="send_back"),
    path("proposals/<int:pk>/stop/", deciding.stop, name="stop"),
    path("proposals/<int:pk>/reopen/", deciding.reopen, name="reopen"),
    path("proposals/<int:pk>/redo/", deciding.redo, name="redo"),
    path("proposals/<int:pk>/withdraw/", deciding.withdraw, name="withdraw"),
    path("proposals/<int:pk>/edit/", working.edit, name="edit"),
    path("proposals/<int:pk>/undo/", undoing.undo, name="undo"),
    path("proposals/<int:pk>/recover/", undoing.recover, name="recover"),
    path("undo/", undoing.together, name="undo-together"),
    path("claims/next/", claiming.claim_next, name="claim-next"),
    path("claims/heartbeat/", claiming.heartbeat, name="heartbeat"),
    path("claims/<str:item>/", claiming.claim, name="claim"),
    path("claims/<str:item>/release/", claiming.release, name="release"),
    path("handoffs/<int:pk>/", desk.handoff, name="handoff"),
    path("handoffs/<int:pk>/resolve/", deciding.resolve, name="resolve"),
    path("cases/", working.cases, name="cases"),
    path("keys/", working.keys, name="keys"),
    path("cases/<int:pk>/", working.case, name="case"),
    path("cases/<int:pk>/wait/", pausing.wait, name="wait"),
    path("cases/<int:pk>/go-on/", pausing.go_on, name="go-on"),
    path("cases/<int:pk>/new/<str:action>/", working.new_action, name="new_action"),
    path("standing/", switching.banner, name="standing"),
    path("switches/", switching.page, name="switches"),
    path("switches/throw/", switching.throw, name="switch-throw"),
    path("switches/restore/", switching.restore, name="switch-restore"),
    path("switches/recall/", switching.recall, name="switch-recall"),
    path("manage/", managing.page, name="manage"),
    path("manage/assign/", managing.assign, name="manage-assign"),
    path("manage/dead/<int:pk>/revive/", managing.revive, name="revive"),
    path("submissions/<int:pk>/", working.submission, name="submission"),
]
