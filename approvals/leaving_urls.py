"""Signing out: what the person took in hand goes back to the queue in every workspace of theirs, then allauth's page.

Included by name from `portal.urls`, before allauth's own addresses.
"""

from allauth.account.views import logout
from django.http import HttpRequest, HttpResponse
from django.urls import path

from approvals import claims
from portal import workspace
from portal.models import Workspace


def sign_out(request: HttpRequest) -> HttpResponse:
    """A post signs out; anything else asks first."""
    if request.method == "POST" and request.user.pk is not None:
        leave(request.user.pk)
    response: HttpResponse = logout(request)
    return response


def leave(person: int) -> None:
    """Put back all that a person took in hand, wherever they work; what a manager gave them stays theirs."""
    with workspace.within(None, person):
        mine = list(Workspace.objects.values_list("pk", flat=True))
    for key in mine:
        with workspace.within(key, person):
            claims.release_all(workspace=key, person=person)


urlpatterns = [path("logout/", sign_out)]
