"""The words of a request as they are sent, and the most tokens they can be. Pure: no Django, clock, network, settings.

Instructions go in the system message. Data goes in the user message, marked and redacted by `agents.marking`, behind a
number that nobody who wrote the data could know.
"""

import json

from agents import marking
from agents.gateway.base import Request
from agents.marking import Marked, Passage

RULES = (
    "You help a support desk. Answer with one JSON value that fits the schema, and nothing else. `confidence` is how"
    " sure you are that the whole answer is right, 0 to 1."
)
WRONG = "Your last answer was not usable: {wrong}. Answer once more, as the schema says."
# What a server wraps around each message, and around the whole.
TOKENS_A_MESSAGE, TOKENS_AROUND = 16, 256


def compose(request: Request, key: str, wrong: str = "") -> list[dict[str, str]]:
    """System and user message; with what was wrong with the last answer, where there was one."""
    marked = mark(request, key)
    told = [part.text for part in request.parts if part.kind == "instruction"]
    said = [{"role": "system", "content": "\n\n".join([RULES, marked.rules, *told])}]
    said.append({"role": "user", "content": marked.data or "Answer."})
    return [*said, {"role": "user", "content": WRONG.format(wrong=wrong)}] if wrong else said


def mark(request: Request, key: str) -> Marked:
    """The data of a request as it is shown, and what restores the answer; the same again for the same request."""
    passages = [Passage(part.origin, part.name, part.text) for part in request.parts if part.kind == "data"]
    return marking.mark(passages, step=request.step, nonce=key[: marking.NONCE], known=request.known)


def most_input_tokens(request: Request, key: str, wrong: str = "") -> int:
    """No tokenizer makes more tokens than there are bytes; the schema may be told twice."""
    messages = compose(request, key, wrong)
    text = sum(len(message["content"].encode()) for message in messages)
    schema = len(json.dumps(request.json_schema()).encode())
    return text + 2 * schema + TOKENS_A_MESSAGE * len(messages) + TOKENS_AROUND
