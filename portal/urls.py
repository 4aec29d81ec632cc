"""Addresses outside any workspace: sign-in, choosing a workspace, health."""

from django.urls import include, path

from portal import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("accounts/", include("allauth.account.urls")),
]
