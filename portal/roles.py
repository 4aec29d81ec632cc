"""What a role may do: a permission backend over memberships, and the closed door to sign-up."""

from collections.abc import Iterable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _lazy

from portal.models import Membership, Person, Role

DECIDING = frozenset({Role.REVIEWER, Role.MANAGER})

# Permission -> roles that hold it in a workspace. `has_perm("portal.decide", workspace)` asks this table.
PERMISSIONS: dict[str, frozenset[str]] = {
    "portal.decide": DECIDING,
    "portal.propose": DECIDING,
    "portal.administer": frozenset({Role.ADMIN}),
    "audit.read": frozenset(Role),  # the log of cases
    "audit.explore": frozenset({Role.MANAGER, Role.ADMIN, Role.AUDITOR}),  # all of it, and to take it along
}


def of(person: int, workspace: int) -> frozenset[str]:
    """The roles an active person holds now, from the database."""
    return frozenset(
        Membership.objects.filter(workspace=workspace, person_id=person, active=True, person__is_active=True)
        .values_list("role", flat=True)
    )  # fmt: skip


def deciding(roles: Iterable[str]) -> str:
    """The role to decide with: manager before reviewer; empty where neither is held."""
    held = set(roles)
    return next((str(role) for role in (Role.MANAGER, Role.REVIEWER) if role in held), "")


class RoleBackend(BaseBackend):
    """Answers `has_perm(permission, workspace)` from memberships; authenticates nobody."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether the person's roles in the workspace `obj` hold the permission."""
        if not isinstance(user_obj, Person) or not user_obj.is_active or obj is None:
            return False
        return bool(PERMISSIONS.get(perm, frozenset()) & of(user_obj.pk, obj.pk))


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """People are invited by an admin; nobody signs up by themselves."""

    error_messages = {  # noqa: RUF012  # as allauth has it
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": _lazy("Too many failed attempts to sign in. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Where there is a second factor it is asked for: with the password alone nobody removes it."""
        offered: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        second = [method for method in offered if method["id"] != "reauthenticate"]
        return second or offered
