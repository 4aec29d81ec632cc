"""Addresses of `approvals` inside a workspace; the queue is its home page."""

from django.urls import path

from approvals.views import deciding, desk, working

urlpatterns = [
    path("", desk.queue, name="queue"),
    path("new/", desk.news, name="news"),
    path("proposals/<int:pk>/", desk.proposal, name="proposal"),
    path("proposals/<int:pk>/approve/", deciding.approve, name="approve"),
    path("proposals/<int:pk>/reject/", deciding.reject, name="reject"),
    path("proposals/<int:pk>/stop/", deciding.stop, name="stop"),
    path("proposals/<int:pk>/reopen/", deciding.reopen, name="reopen"),
    path("proposals/<int:pk>/redo/", deciding.redo, name="redo"),
    path("proposals/<int:pk>/withdraw/", deciding.withdraw, name="withdraw"),
    path("proposals/<int:pk>/edit/", working.edit, name="edit"),
    path("proposals/<int:pk>/undo/", working.undo, name="undo"),
    path("claims/<str:item>/", deciding.claim, name="claim"),
    path("claims/<str:item>/release/", deciding.release, name="release"),
    path("handoffs/<int:pk>/", desk.handoff, name="handoff"),
    path("handoffs/<int:pk>/resolve/", deciding.resolve, name="resolve"),
    path("cases/", working.cases, name="cases"),
    path("keys/", working.keys, name="keys"),
    path("cases/<int:pk>/", working.case, name="case"),
    path("cases/<int:pk>/new/<str:action>/", working.new_action, name="new_action"),
    path("submissions/<int:pk>/", working.submission, name="submission"),
]
