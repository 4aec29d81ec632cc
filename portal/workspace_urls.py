"""Addresses inside a workspace, below `/w/<slug>/`."""

from django.urls import include, path

from portal.admin_site import site

urlpatterns = [
    path("", include("approvals.urls")),
    path("", include("agents.urls")),
    path("log/", include("audit.urls")),
    path("you/tokens/", include("portal.token_views")),
    path("api/", include("portal.api.urls")),
    path("admin/", site.urls),
]
