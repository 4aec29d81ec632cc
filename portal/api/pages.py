"""Pages of the API: newest first over the primary key, by cursor. Counts nothing, skips nothing."""

import base64
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import models
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request

from portal.api.problems import unfit

Row = TypeVar("Row", bound=models.Model)
Item = TypeVar("Item", bound=BaseModel)
USUAL, LARGEST = 25, 100
_LARGEST_KEY = 2**63 - 1


class PageQuery(BaseModel):
    """What a list may be asked; a view adds its filters. What is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: str = Field("", max_length=40, description="The `after` of the last page's `next`.")
    limit: int = Field(USUAL, ge=1, le=LARGEST, description="Rows on a page.")


class Page(BaseModel, Generic[Item]):
    """One page, newest first. `next` is the path of the page after it, or null."""

    results: list[Item]
    next: str | None


def cut(
    rows: "models.QuerySet[Row]", asked: PageQuery, request: Request, show: Callable[[Row], Item]
) -> tuple[list[Item], str | None]:
    """The page that was asked for and the path of the next; one row more than shown tells if it is there.

    Raises:
        problems.Refused: the cursor is none of ours.
    """
    if asked.after:
        rows = rows.filter(pk__lt=_key(asked.after))
    found = list(rows.order_by("-pk")[: asked.limit + 1])
    shown = found[: asked.limit]
    if len(found) == len(shown):
        return [show(row) for row in shown], None
    query = request.query_params.copy()
    query["after"] = _cursor(int(shown[-1].pk))
    return [show(row) for row in shown], f"{request.path}?{query.urlencode()}"


def _cursor(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _key(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError as error:
        raise unfit("after: is no cursor of ours") from error
    if not text.isdigit() or len(text) > 19 or int(text) > _LARGEST_KEY:
        raise unfit("after: is no cursor of ours")
    return int(text)
