"""Addresses inside a workspace, below `/w/<slug>/`."""

from django.urls import include, path

from portal.admin_site import site

urlpatterns = [
    path("", include("approvals.urls")),
    path("", include("agents.urls")),
    path("log/", include("audit.urls")),
    path("policy/", include("portal.page_views")),
    path("team/", include("portal.team_views")),
    path("you/", include("portal.profile_views")),
    path("you/tokens/", include("portal.token_views")),
    path("out-of-office/", include("portal.standing_in_views")),
    path("you/view-as/", include("portal.viewing_views")),
    path("step-up/", include("portal.stepup_views")),
    path("api/", include("portal.api.urls")),
    path("admin/", site.urls),
]

handler500 = "portal.outage.server_error"
