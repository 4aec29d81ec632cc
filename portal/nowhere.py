"""The addresses of a workspace that is not there, or not yours: none."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

handler500 = "portal.outage.server_error"
