"""Addresses of `agents` inside a workspace."""

from django.urls import path

from agents import views

urlpatterns = [
    path("runs/<int:pk>/", views.run, name="run"),
]
