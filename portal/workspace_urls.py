"""Addresses inside a workspace, below `/w/<slug>/`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("approvals.urls")),
    path("", include("agents.urls")),
    path("log/", include("audit.urls")),
    path("api/", include("portal.api.urls")),
    path("admin/", admin.site.urls),
]
