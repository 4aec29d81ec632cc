"""The page of a person's own tokens: list, make, revoke. A secret is on the answer to its making only."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from portal import tokens
from portal.htmx import WorkspaceRequest
from portal.models import PersonalToken

PAGE = "portal/tokens.html"


class TokenForm(forms.Form):
    """A name to know it by, and what it may do."""

    name = forms.CharField(max_length=60, label=_lazy("Name"), help_text=_lazy("What you will use it for."))
    scopes = forms.MultipleChoiceField(label=_lazy("It may"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, offered: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = list(offered.items())  # type: ignore[attr-defined]  # of its own field


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables("secret")
def own(request: WorkspaceRequest) -> HttpResponse:
    """List one's own tokens; a post makes one and shows its secret this once."""
    offered = tokens.offered(request.user, request.workspace)
    form, made, secret = TokenForm(request.POST or None, offered=offered), None, ""
    if form.is_valid():
        made, secret = tokens.make(
            workspace=request.workspace, person=request.user, name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"], now=request.now,
        )  # fmt: skip
        form = TokenForm(offered=offered)
    listed = tokens.of_person(request.user, request.workspace)
    context = {"form": form, "made": made, "secret": secret, "tokens": listed, "scopes": tokens.SCOPES}
    return render(request, PAGE, context, status=422 if form.errors else 200)


@require_POST
def revoke(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """End one of one's own."""
    token = get_object_or_404(PersonalToken, workspace=request.workspace, person=request.user, pk=pk)
    tokens.revoke(token=token, person=request.user, now=request.now)
    return redirect("tokens")


urlpatterns = [
    path("", own, name="tokens"),
    path("<int:pk>/revoke/", revoke, name="token-revoke"),
]
