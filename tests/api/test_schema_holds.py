"""The OpenAPI document: every view is in it, generated requests get no 5xx and no answer outside of it."""

from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from portal.api import schema
from tests.api.calls import Caller, proposed
from tests.cast import Cast

EXAMPLES = 15
load_all_checks()


def operations() -> list[tuple[str, str]]:
    return [(method, path) for path, methods in schema.document("")["paths"].items() for method in methods]


def test_every_operation_is_described(live: None) -> None:
    found = set(operations())
    assert {("post", "/tickets/"), ("get", "/proposals/"), ("post", "/proposals/{id}/approve/")} <= found
    assert len(found) == 22
    forms = schema.document("")["components"]["schemas"]
    assert set(forms["TicketForm"]["required"]) == {"id", "agent", "text"}


def test_the_document_and_its_page_need_no_token(cast: Cast, client: Client) -> None:
    base = f"/w/{cast.workspace.slug}/api"
    assert client.get(f"{base}/schema/").json()["servers"] == [{"url": base}]
    page = client.get(f"{base}/docs/")
    assert page.status_code == 200
    assert f"POST {base}/proposals/{{id}}/approve/" in page.content.decode()
    for word in ('<script src="http', "style=", "unsafe-inline"):
        assert word not in page.content.decode()


@pytest.mark.parametrize(("method", "path"), operations())
def test_generated_requests_stay_inside_the_schema(
    cast: Cast, caller: Callable[..., Caller], method: str, path: str
) -> None:
    proposal = proposed(cast)
    base = f"/w/{cast.workspace.slug}/api"
    document = schema.document(base)
    api: Any = schemathesis.openapi.from_dict(document)
    api.app = get_wsgi_application()
    headers = {"Authorization": f"Bearer {caller().secret}"}
    known = {"id": proposal.case_id if path.startswith("/cases") else proposal.pk}

    @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
    @hypothesis.given(case=api[path][method.upper()].as_strategy(), real=hypothesis.strategies.booleans())
    def holds(case: Any, real: bool) -> None:
        if real and case.path_parameters:
            case.path_parameters.update({k: v for k, v in known.items() if k in case.path_parameters})
        # A 422 for what only the trade can say (a cursor, arguments of an action) is in the document.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    holds()
