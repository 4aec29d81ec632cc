"""What is forbidden, whoever asks: one Cedar set with its schema. Fails closed; allows nothing by itself. Pure.

`allowed and not errors` is the only yes: without a schema a `forbid` that meets a missing attribute would be
skipped, so the request is always validated against it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cedarpy

from portal.retold import kept

FOLDER = Path(__file__).parent / "policies"
FORBIDS = kept("Policy %(rule)s forbids it.")
UNCLEAN = kept("The policy engine did not answer cleanly: %(error)s")
# What the policy files say of themselves, to be told in other languages.
SAID = (
    kept("The order does not belong to the customer who wrote."),
    kept("The money would go to a payment method that is not the order owner's."),
    kept("A refund moves more than nothing."),
    kept("A person locked one of these fields."),
    kept("Only people solve or close a ticket."),
    kept("The reply would go to an address that is not the customer's."),
    kept("Only people change what proves who somebody is."),
    kept("Only the agent of refunds reads orders, payments and payment methods."),
)
WRITES, READS = "policies", "reads"  # two sets: a rule about every write must not have to know what reads tell
SCHEMAS = {WRITES: "schema", READS: "reads"}


class PolicyError(Exception):
    """The policy files do not hold together."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the policies may ask about a write; every attribute is always there.

    `data` are the classes of data that it writes or sends: routing, personal, identity, money, message.
    `destination` says where it goes: of money original, gift_card or other; of a message customer (the address on
    record, or the conversation itself) or other; "" where nothing leaves. `in_hours`: the desk is open.
    """

    amount_minor: int = 0
    currency: str = ""
    confidence_pct: int = 100
    owner_matches: bool = True
    destination_matches: bool = True
    touches_locked: bool = False
    closes: bool = False
    data: tuple[str, ...] = ()
    destination: str = ""
    in_hours: bool = True
    flags: tuple[str, ...] = ()

    def as_context(self) -> dict[str, Any]:
        """The record of the schema's type `Asked`."""
        sets = {name: sorted(getattr(self, name)) for name in ("data", "flags")}
        return {name: getattr(self, name) for name in self.__slots__} | sets


@dataclass(frozen=True, slots=True)
class Answer:
    """`rules` are the ids of the forbids that spoke; `reasons` what they say to people."""

    denied: bool
    rules: tuple[str, ...]
    reasons: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The parsed files: rule names as ids, schema, reasons by rule, version (SHA-256, 12 hex)."""

    policies: cedarpy.PolicySet
    schema: cedarpy.Schema
    reasons: Mapping[str, str]
    version: str


@lru_cache(maxsize=2)
def load(folder: Path = FOLDER, name: str = WRITES) -> PolicySet:
    """What this process goes by: the files as they were when it first asked.

    Raises:
        PolicyError: see `read`.
    """
    return read(folder, name)


def read(folder: Path = FOLDER, name: str = WRITES) -> PolicySet:
    """Read and validate the policy files: `policies` about writes, `reads` about what agents look at.

    Raises:
        PolicyError: a file does not parse, or does not fit the schema.
    """
    text, schema = (folder / f"{name}.cedar").read_text(), (folder / f"{SCHEMAS[name]}.cedarschema").read_text()
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
        named = {_annotation(p, "id") or key: p for key, p in parsed["staticPolicies"].items()}
        checked = cedarpy.validate_policies(text, schema)
    except Exception as error:
        raise PolicyError(f"{name}.cedar: {error}") from error
    if not checked.validation_passed:
        raise PolicyError(f"{name}.cedar: " + "; ".join(str(e.error) for e in checked.errors))
    version = hashlib.sha256((text + schema).encode()).hexdigest()[:12]
    reasons = {name: _annotation(p, "reason") for name, p in named.items()}
    parsed["staticPolicies"] = named
    policies = cedarpy.PolicySet.from_json_str(json.dumps(parsed))
    return PolicySet(policies, cedarpy.Schema.from_str(schema), reasons, version)


def _annotation(policy: Mapping[str, Any], name: str) -> str:
    return str(policy.get("annotations", {}).get(name, ""))


def ask(*, proposer: str, action: str, target: str, facts: Facts, policies: PolicySet) -> Answer:
    """Whether a forbid speaks against it; anything that goes wrong is a no.

    `proposer` is `agent:name` or `person:id`, `target` is `kind:id`.
    """
    kind, _, name = proposer.partition(":")
    request = {
        "principal": f"{'Agent' if kind == 'agent' else 'Person'}::{json.dumps(name)}",
        "action": f"Action::{json.dumps(action)}",
        "resource": f"Record::{json.dumps(target)}",
        "context": facts.as_context(),
    }
    return _ask(request, policies)


def ask_read(*, agent: str, tool: str, kind: str, data: Sequence[str], policies: PolicySet) -> Answer:
    """Whether a forbid speaks against an agent's reading records of a kind, with these classes of data in them."""
    request = {
        "principal": f"Agent::{json.dumps(agent)}",
        "action": 'Action::"read"',
        "resource": f"Kind::{json.dumps(kind)}",
        "context": {"tool": tool, "data": sorted(data)},
    }
    return _ask(request, policies)


def _ask(request: dict[str, Any], policies: PolicySet) -> Answer:
    try:
        result = cedarpy.is_authorized(request, policies.policies, [], schema=policies.schema)
        errors = list(result.diagnostics.errors)
        allowed, rules = result.allowed, sorted(result.diagnostics.reasons)
    except Exception as error:  # fail closed, whatever the engine raises
        allowed, errors, rules = False, [str(error)], []
    if allowed and not errors:
        return Answer(False, (), (), policies.version)
    return Answer(True, tuple(rules), _words(rules, errors, policies), policies.version)


def _words(rules: Sequence[str], errors: Sequence[str], policies: PolicySet) -> tuple[str, ...]:
    said = [policies.reasons.get(rule) or FORBIDS % {"rule": rule} for rule in rules]
    return tuple(said + [UNCLEAN % {"error": error} for error in errors])
