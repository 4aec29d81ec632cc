"""Addresses of `agents` inside a workspace."""

from django.urls import path

from agents import views
from agents.evals import views as evals_views
from agents.sweeps import views as sweeps_views

urlpatterns = [
    path("runs/<int:pk>/", views.run, name="run"),
    path("runs/<int:pk>/vault/", views.open_vault, name="vault"),
    path("evaluations/", evals_views.evaluations, name="evaluations"),
    path("evaluations/<str:name>/", evals_views.evaluation, name="evaluation"),
    path("sweeps/", sweeps_views.sweeps, name="sweeps"),
    path("sweeps/begin/", sweeps_views.begin_sweep, name="sweep-begin"),
    path("sweeps/<int:pk>/stop/", sweeps_views.stop_sweep, name="sweep-stop"),
]
