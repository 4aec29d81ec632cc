"""The base of every API view: it names scope, query, form and answers; the schema is read from there."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from rest_framework import negotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.problems import of_validation
from portal.api.schema import FormSchema

Model = TypeVar("Model", bound=BaseModel)


class Form(BaseModel):
    """Base of every body: nothing extra, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """Base of what is answered; read from a row where the names agree."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class JSONOnly(negotiation.DefaultContentNegotiation):
    """Answers JSON whatever a client says it likes."""

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """The first and only one."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class View(APIView):
    """`scope` is what the token must hold; `refuses` adds to what every view of its form may answer."""

    http_method_names: ClassVar[list[str]] = ["get", "post", "head"]  # type: ignore[misc]  # narrower on purpose
    content_negotiation_class = JSONOnly
    schema = FormSchema()
    scope: ClassVar[str]
    query: ClassVar[type[BaseModel] | None] = None
    form: ClassVar[type[BaseModel] | None] = None
    answers: ClassVar[Mapping[int, type[BaseModel]]]
    refuses: ClassVar[tuple[int, ...]] = ()

    @property
    def workspace(self) -> int:
        """The workspace of the address, which the token belongs to."""
        http: Any = self.request._request
        return int(http.workspace.pk)

    @property
    def person(self) -> int:
        """Whose token it is."""
        person: Any = self.request.user
        return int(person.pk)

    @property
    def now(self) -> datetime:
        """The database's clock at the start of the request."""
        http: Any = self.request._request
        now: datetime = http.now
        return now

    def asked(self, form: type[Model]) -> Model:
        """The query string as its form.

        Raises:
            problems.Refused: 422 naming the parameter.
        """
        try:
            return form.model_validate(self.request.query_params.dict())
        except ValidationError as error:
            raise of_validation(error, "query") from error

    def posted(self, form: type[Model]) -> Model:
        """The body as its form.

        Raises:
            problems.Refused: 413, or 422 naming the field.
        """
        try:
            return form.model_validate(self.request.data)
        except ValidationError as error:
            raise of_validation(error, "body") from error

    def say(self, answer: BaseModel, code: int = 200) -> Response:
        """The answer as JSON."""
        return Response(answer.model_dump(mode="json"), status=code)
