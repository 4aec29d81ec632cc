"""Addresses of `audit` inside a workspace."""

from django.urls import path

from audit import views

urlpatterns = [
    path("cases/<int:pk>/", views.case, name="case_log"),
]
