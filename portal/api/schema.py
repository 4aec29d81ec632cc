"""The OpenAPI document, read from what each view names, and its page. The same for every workspace."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from portal.api.problems import MEDIA_TYPE, Problem

URLS = "portal.api.urls"


class Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the base's hook is not annotated
    """A personal token."""

    target_class = "portal.api.callers.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """How the token is sent."""
        return {"type": "http", "scheme": "bearer", "description": "A personal token, `cs_...`."}


class FormSchema(AutoSchema):
    """Describes a `portal.api.views.View` by its own names, so that the two cannot disagree."""

    view: Any

    def get_operation_id(self) -> str:
        """The view's name."""
        return str(self.view.__class__.__name__)

    def get_request_serializer(self) -> Any:
        """Its form."""
        return self.view.form if self.method == "POST" else None

    def get_response_serializers(self) -> Any:
        """Its answers, and a problem for each status it may refuse with."""
        refused = {401, 403, *self.view.refuses}
        if "{" in self.path:
            refused.add(404)
        if self.view.query or self.view.form:
            refused.add(422)
        if self.view.form:
            refused |= {413, 415}
        problems = {(str(code), MEDIA_TYPE): Problem for code in sorted(refused)}
        answers = {(str(code), "application/json"): model for code, model in self.view.answers.items()}
        return answers | problems

    def get_override_parameters(self) -> list[Any]:
        """Its query, one parameter a field."""
        if self.view.query is None:
            return []
        form = self.view.query.model_json_schema()
        return [
            OpenApiParameter(name, _bare(field, form.get("$defs", {})), description=field.get("description", ""))
            for name, field in form["properties"].items()
        ]


def _bare(field: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out, never null; and it stands alone, without references."""
    kind = next(option for option in field.get("anyOf", [field]) if option.get("type") != "null")
    kind = known[kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind
    return {key: value for key, value in kind.items() if key not in ("title", "description", "default")}


@lru_cache(maxsize=1)
def _paths_and_forms() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator(urlconf=URLS).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # not annotated
    return document


def document(base: str) -> dict[str, Any]:
    """The OpenAPI document of the API below the path `base`."""
    return {**_paths_and_forms(), "servers": [{"url": base}]}


def _base(request: HttpRequest, ending: str) -> str:
    return request.path.removesuffix(ending)


@require_GET
def document_view(request: HttpRequest) -> JsonResponse:
    """For machines."""
    return JsonResponse(document(_base(request, "/schema/")))


@require_GET
def page_view(request: HttpRequest) -> HttpResponse:
    """For people; plain HTML of our own, so that it needs no script and no other host."""
    base = _base(request, "/docs/")
    operations = [
        {"path": base + path, "method": method.upper(), **operation}
        for path, methods in sorted(_paths_and_forms()["paths"].items())
        for method, operation in methods.items()
    ]
    forms = _paths_and_forms()["components"]["schemas"]
    return render(request, "portal/api_docs.html", {"operations": operations, "forms": forms, "base": base})
