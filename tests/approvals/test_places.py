"""The places that the palette offers: all of the product that the person may open, and nothing they may not."""

import re

import pytest
from django.urls import get_resolver

from portal import workspace_urls
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather

# Pages without a number in their address that are no place to go to: a part of a page, a file, or asked by programs.
NO_PLACES = {"news/", "new/", "views/", "standing/", "api/schema/", "undo/", "batches/", "step-up/"}


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def offered(page: str) -> list[str]:
    """The addresses of the hidden list."""
    return re.findall(r'<a href="([^"]+)"', page[page.index('class="places"') :].partition("</dialog>")[0])


@pytest.mark.parametrize("name", ["rosa", "mara", "ada", "odile"])
def test_each_place_that_is_offered_opens(cast: Cast, name: str) -> None:
    desk = sit_down(cast, name)
    places = offered(text(desk.get("/cases/")))
    assert len(places) == len(set(places)) + 1 > 20  # what waits is the queue by another name
    refused = [place for place in places if desk.client.get(place).status_code not in (200, 302)]
    assert refused == []


@pytest.mark.parametrize("name", ["rosa", "mara", "ada", "odile"])
def test_each_page_without_a_number_that_opens_is_offered(cast: Cast, name: str) -> None:
    desk, base = sit_down(cast, name), f"/w/{cast.workspace.slug}/"
    places = {place.partition("?")[0].removeprefix(base) for place in offered(text(desk.get("/cases/")))}
    missing = []
    for path in sorted(_pages() - NO_PLACES - places):
        answer = desk.get(f"/{path}")
        if answer.status_code == 200 and "<html" in text(answer):
            missing.append(path)
    assert missing == []


def _pages() -> set[str]:
    """Paths of a workspace that take nothing, without the admin and the API below their first pages."""
    routes = {path for _name, found in get_resolver(workspace_urls.__name__).reverse_dict.lists()
              for bits, *_rest in found for path, _params in bits}  # fmt: skip
    return {route for route in routes if "%" not in route and not route.startswith(("admin/", "api/v"))}
