"""A cast, and a way to call the API as each of them. Imports inside: this loads before Django does."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def cast(live: None) -> Any:
    from django.conf import settings

    from tests.cast import gather

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is not there
    return gather(hold_seconds=900)


@pytest.fixture
def caller(cast: Any) -> Callable[..., Any]:
    from portal import tokens
    from tests.api.calls import Caller, make_token

    def make(name: str = "rosa", scopes: tuple[str, ...] = ()) -> Caller:
        return Caller(cast.workspace.slug, make_token(cast, name, scopes or tuple(tokens.SCOPES))[1])

    return make
