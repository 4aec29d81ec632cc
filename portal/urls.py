"""Addresses outside any workspace: sign-in, choosing a workspace, health."""

from django.http import Http404
from django.urls import include, path, re_path
from django.views.defaults import page_not_found

from portal import views

# People are appointed by an admin and sign in by e-mail and password: allauth's other pages are closed.
CLOSED = r"^accounts/(?:signup|email|confirm-email|inactive|login/code|password/set|3rdparty|social)/"

urlpatterns = [
    re_path(CLOSED, page_not_found, {"exception": Http404()}),
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("accounts/", include("approvals.leaving_urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
]

handler500 = "portal.outage.server_error"
