"""The floor of `benchmark queue`: what anybody would write first. Django as it comes, one query, 25 plain rows.

The sign-in is asked for, and nothing else: no roles, no counters, no filters, nobody's hands.
"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import path

from approvals import queries
from approvals.models import Proposal

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PAGE = Template(
    "<!doctype html><html lang=en><head><title>Queue</title></head><body><h1>Queue</h1><p>{{ user.name }}</p><ol>"
    "{% for row in rows %}<li><a href=/{{ row.pk }}/>{{ row.summary }}</a> {{ row.case.title }} {{ row.tier }}"
    " {{ row.proposer }} {{ row.confidence_pct }}% {{ row.urgency }}</li>{% endfor %}</ol></body></html>"
)


@login_required
def queue(request: HttpRequest, workspace: int) -> HttpResponse:
    """The first page of what waits."""
    rows = Proposal.objects.filter(workspace_id=workspace, state="pending").select_related("case").defer("basis")
    rows = rows.order_by("urgency", "pk")[: queries.PAGE]
    return HttpResponse(PAGE.render(Context({"rows": rows, "user": request.user})))


urlpatterns = [path("<int:workspace>/", queue)]
