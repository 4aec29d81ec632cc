"""Addresses of `agents` inside a workspace."""

from django.urls import path

from agents import views
from agents.evals import views as evals_views

urlpatterns = [
    path("runs/<int:pk>/", views.run, name="run"),
    path("evaluations/", evals_views.evaluations, name="evaluations"),
    path("evaluations/<str:name>/", evals_views.evaluation, name="evaluation"),
]
