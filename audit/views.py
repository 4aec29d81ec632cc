"""The old address of a case's log leads to the explorer, which others build on this app."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET


@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """The entries of one case."""
    del request
    return redirect(f"{reverse('explorer')}?case={pk}", permanent=True)
