"""Addresses of the API, below `/w/<slug>/api/`."""

from django.urls import include, path

from portal.api import problems, schema

urlpatterns = [
    path("schema/", schema.document_view, name="api-schema"),
    path("docs/", schema.page_view, name="api-docs"),
    path("", include("approvals.api")),
    path("", include("approvals.api_undo")),
    path("", include("agents.api")),
    path("", include("portal.api.entries")),
    path("<path:rest>", problems.nowhere),
    path("", problems.nowhere),
]
