"""Settings about where an outside system is. Refuses an address that could hide a secret, and the clear beyond home."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop as noop
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from portal.egress import Egress, Pace, host_and_port
from portal.retold import kept

NO_ADDRESS = kept("an address like https://desk.example.com/api is needed")
TOO_MUCH = kept("only scheme, host, port and path may stand in it")


def an_address(text: str) -> str:
    """http(s), a host, perhaps a port and a path; without a slash at its end. Raises ValueError."""
    try:
        url = urlsplit(text)
        known = url.scheme in ("https", "http") and url.hostname and (url.port is None or url.port > 0)
    except ValueError:
        known = False
    if not known:
        raise ValueError(NO_ADDRESS)
    if "@" in url.netloc or url.query or url.fragment or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError(TOO_MUCH)
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(an_address), Field(max_length=200)]


class Reach(BaseModel):
    """Base of every system's settings; unknown ones are refused. Where it is stands in a field of the subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow_private: Annotated[
        bool,
        Field(title=noop("Allow private addresses"), description=noop("It is in your own network; allows plain http.")),
    ] = False

    @property
    def address(self) -> str:
        """Where it is."""
        raise NotImplementedError

    def egress(self, pace: Pace) -> Egress:
        """To this host alone."""
        return Egress(frozenset({host_and_port(self.address)}), pace, allow_private=self.allow_private)

    def fault(self) -> str:
        """What two settings say against each other, as `field: sentence`; "" where they agree."""
        if self.address.startswith("http:") and not self.allow_private:
            return "allow_private: plain http is for private addresses; use https, or allow them"
        return ""
