"""The one client of model servers, over `openai` and our own way out. Knows no budget and no order of fall-back.

A call ends by its deadline whatever the server does, and never in an exception: how it ended is its value. Nothing is
tried again here. What is raised on the way may quote what was sent or answered: none of its words are kept.
"""

import hashlib
import importlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx2
from pydantic import SecretStr

from agents.gateway import base, messages, vectors
from agents.gateway.base import Move, Outcome, Reply
from portal.egress import Egress, host_and_port, retry_seconds
from portal.systems.outside import NotSent, OutsideError, Refused

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

CONNECT_SECONDS = 3.0
LONGEST_VECTOR = 16_000  # numbers that pgvector keeps
# The only headers that go out: the rest of the client's tell about this machine.
HEADERS = frozenset({"authorization", "content-type", "accept"})


@lru_cache(maxsize=1)
def _sdk() -> Any:
    """Importing it takes a second: a process that never asks a model starts without it."""
    return importlib.import_module("openai")


class NoTurns:
    """Models are paced by the breaker and by budgets, not call by call."""

    def turn(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

    def rest(self, seconds: float) -> None:
        """The breaker's to heed."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a backend is, its key, and how long it may take in all, in seconds."""

    base_url: str
    secret: SecretStr
    seconds: float
    allow_private: bool = False

    def egress(self) -> Egress:
        """To this host alone."""
        return Egress(
            frozenset({host_and_port(self.base_url)}), NoTurns(), allow_private=self.allow_private,
            connect_seconds=min(CONNECT_SECONDS, self.seconds), total_seconds=self.seconds,
            longest_read_seconds=self.seconds,
        )  # fmt: skip


class WayOut(httpx2.BaseTransport):
    """What the client sends goes through the one way out: its hosts, addresses, times and sizes."""

    def __init__(self, server: Server) -> None:
        self._talk = server.egress().talk(server.seconds)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request; raises as `Talk.fetch`."""
        headers = {name: value for name, value in request.headers.items() if name in HEADERS}
        reply = self._talk.fetch(request.method, str(request.url), headers=headers, body=request.read())
        kept = {name: value for name, value in reply.headers.items() if name.lower() != "transfer-encoding"}
        return httpx2.Response(reply.status, headers=kept, content=reply.body, request=request)


def ask(server: Server, move: Move) -> Reply:
    """Make one call."""
    sdk = _sdk()
    with httpx2.Client(transport=WayOut(server), follow_redirects=False) as way:
        client = sdk.OpenAI(
            api_key=server.secret.get_secret_value(), base_url=server.base_url, http_client=way, max_retries=0,
            timeout=server.seconds,
        )  # fmt: skip
        try:
            return _embed(client, move) if vectors.is_one(move.request) else _judge(_complete(client, move), move)
        except sdk.APIStatusError as error:
            return _status(error)
        except OutsideError as error:  # ours, which the client lets through
            return _no_answer(error)
        except (sdk.OpenAIError, ValueError) as error:  # an answer that is no completion
            return Reply(Outcome.MALFORMED, error=f"the answer is no completion ({type(error).__name__})")


def _complete(client: "openai.OpenAI", move: Move) -> "ChatCompletion":
    request: Any = {
        "model": move.offer.model,
        "messages": messages.compose(move.request, move.key, move.wrong),
        "max_completion_tokens": move.request.most_tokens,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": move.request.step, "strict": True, "schema": move.request.json_schema()},
        },
    }
    found: ChatCompletion = client.chat.completions.create(**request)
    return found


def _embed(client: "openai.OpenAI", move: Move) -> Reply:
    """A vector for each text, all of one length, or what is wrong with what came back."""
    texts = vectors.texts(move.request)
    found = client.embeddings.create(model=move.offer.model, input=texts, encoding_format="float")
    try:
        came = [one.embedding for one in sorted(found.data, key=lambda one: one.index)]
        known: dict[str, Any] = {
            "input_tokens": int(found.usage.prompt_tokens) if found.usage else -1, "output_tokens": 0,
            "served_by": str(found.model or ""), "request_id": str(getattr(found, "_request_id", "") or ""),
        }  # fmt: skip
        fine = len(came) == len(texts) and len({len(one) for one in came}) == 1 and 0 < len(came[0]) <= LONGEST_VECTOR
        value = vectors.Vectors(confidence=1.0, vectors=[[float(n) for n in one] for one in came])
    except (AttributeError, TypeError, ValueError):
        return Reply(Outcome.MALFORMED, error="the answer holds no vectors")
    if known["input_tokens"] > move.most.tokens:
        return Reply(Outcome.OVERCHARGED, error="it reports more tokens than it was asked for", **known)
    if not fine or not all(math.isfinite(number) for one in value.vectors for number in one):
        return Reply(Outcome.MALFORMED, error="not one vector of finite numbers for each text", **known)
    return Reply(Outcome.ANSWERED, value.model_dump(mode="json"), **known)


def _judge(completion: Any, move: Move) -> Reply:
    """What came back, as the value that was asked for or what is wrong with it."""
    try:
        choice, usage = completion.choices[0], completion.usage
        message = choice.message
        tokens = (int(usage.prompt_tokens), int(usage.completion_tokens)) if usage else (-1, -1)
        told = {"request_id": str(completion._request_id or ""), "served_by": str(completion.model or "")}
    except (AttributeError, IndexError, TypeError, ValueError):
        return Reply(Outcome.MALFORMED, error="the answer is no completion")
    known: dict[str, Any] = {"input_tokens": tokens[0], "output_tokens": tokens[1], **told}
    if tokens[0] > move.most.tokens - move.request.most_tokens or tokens[1] > move.request.most_tokens:
        return Reply(Outcome.OVERCHARGED, error="it reports more tokens than it was asked for", **known)
    if message.refusal or choice.finish_reason == "content_filter":
        return Reply(Outcome.REFUSED, error="the model declined", **known)
    wrong = _wrong_form(message, choice.finish_reason)
    if wrong:
        return Reply(Outcome.MALFORMED, error=wrong, **known)
    known |= {"content": message.content, "digest": hashlib.sha256(message.content.encode()).hexdigest()}
    value, wrong = base.read(move.request, messages.mark(move.request, move.key), message.content)
    if value is None:
        return Reply(Outcome.MALFORMED, error=wrong, **known)
    return Reply(Outcome.ANSWERED, value.model_dump(mode="json"), **known)


def _wrong_form(message: Any, finish: str | None) -> str:
    if message.tool_calls or getattr(message, "function_call", None):
        return "it called a tool; there are none"
    if finish == "length":
        return "it did not end within the tokens it may use"
    return "" if isinstance(message.content, str) else "it holds no text"


def _status(error: "openai.APIStatusError") -> Reply:
    """A status that is no success."""
    status, headers = error.status_code, error.response.headers
    words, request_id = f"the server answered {status}", headers.get("x-request-id", "")
    if status == 429:
        rest = retry_seconds(headers, datetime.now(UTC))
        return Reply(Outcome.LIMITED, error=words, request_id=request_id, retry_seconds=rest)
    known = 400 <= status < 500 and status != 408
    return Reply(Outcome.MISUSED if known else Outcome.UNREACHABLE, error=words, request_id=request_id)


def _no_answer(error: OutsideError) -> Reply:
    """No whole answer; the way out says whether a byte left."""
    if isinstance(error, Refused):
        return Reply(Outcome.MISUSED, error=str(error), sent=False)
    return Reply(Outcome.UNREACHABLE, error=str(error), sent=not isinstance(error, NotSent))
