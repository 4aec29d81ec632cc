"""The spans of a run that ended: itself, its steps, its calls of tools. Attributes by OpenTelemetry's `gen_ai`
conventions where they have one; digests stand for values.
"""

import time
from collections.abc import Iterator

from agents.ending import Done
from agents.gateway.base import Outcome, Reply
from agents.models import ModelCall
from portal.telemetry import Span


def of(done: Done) -> Iterator[Span]:
    """A run's spans; what is inside it names it as parent."""
    run, key = done.run, f"run:{done.run.pk}"
    shift = time.time_ns() - time.perf_counter_ns()
    yield Span(
        f"invoke_agent {run.agent}", key, shift + done.trace.began_ns, time.time_ns(),
        attributes={
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": run.agent,
            "gen_ai.agent.version": run.agent_version, "countersign.run": run.pk, "countersign.case": run.case_id,
            "countersign.model_version": done.model_version, "countersign.state": str(done.state),
            "countersign.attempt": run.attempts,
        },
    )  # fmt: skip
    for seq, step in enumerate(done.trace.taken, 1):
        began = shift + step.began_ns
        attributes = {"countersign.input_digest": step.input_digest, "countersign.output_digest": step.output_digest}
        yield Span(f"step {step.name}", f"{key}:step:{seq}", began, began + step.micros * 1000, key, attributes)
    for seq, call in enumerate(done.calls, 1):
        began = shift + call.began_ns
        yield Span(
            f"execute_tool {call.tool}", f"{key}:call:{seq}", began, began + call.micros * 1000, key,
            {
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": call.tool, "countersign.ended": call.ended,
                "countersign.argument_digest": call.argument_digest, "countersign.result_digest": call.result_digest,
            },
        )  # fmt: skip


def of_model(call: ModelCall, reply: Reply, micros: int) -> Span:
    """A call of a model that has just ended; nothing of what was asked or answered."""
    ended = time.time_ns()
    attributes: dict[str, str | int | bool] = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": call.model, "gen_ai.response.model": reply.served_by,
        "gen_ai.response.id": reply.request_id, "countersign.step": call.step, "countersign.backend": call.backend,
        "countersign.outcome": str(reply.outcome), "countersign.request_digest": call.request_digest,
    }  # fmt: skip
    if reply.outcome == Outcome.ANSWERED and reply.input_tokens >= 0:
        attributes |= {
            "gen_ai.usage.input_tokens": reply.input_tokens, "gen_ai.usage.output_tokens": reply.output_tokens
        }  # fmt: skip
    return Span(
        f"chat {call.model}", f"model:{call.pk}", ended - micros * 1000, ended, f"run:{call.run_id}", attributes
    )
