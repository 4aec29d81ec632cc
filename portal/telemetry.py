"""Spans for an OpenTelemetry collector, where `OTEL_ENDPOINT` names one; off without. Names and numbers, never text.

They leave after the commit of what they tell, by a thread of their own: a collector that is away holds nothing up.
"""

import atexit
import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial

from django.db import transaction
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from portal import env

ROOT = "intake"
LONGEST_SECONDS, EVERY_MS = 5.0, 1_000.0
SCOPE = InstrumentationScope("countersign")


@dataclass(frozen=True, slots=True)
class Span:
    """`key` names it within its trace, `parent` the one it belongs to; times in nanoseconds since 1970."""

    name: str
    key: str
    began_ns: int
    ended_ns: int
    parent: str = ROOT
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict)


def since(name: str, key: str, began: datetime, *, parent: str = ROOT, **attributes: str | int | bool) -> Span:
    """A span from `began` (UTC) until now; `a__b` in the name of an attribute is `a.b`."""
    start = int(began.timestamp() * 1e9)
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return Span(name, key, start, max(start, time.time_ns()), parent, named)


def after_commit(trace_id: str, spans: Iterable[Span]) -> None:
    """Let spans of a trace (32 hex digits) go once the transaction stands; without a collector none is even made."""
    if trace_id and env.read().otel_endpoint:
        transaction.on_commit(partial(_send, trace_id, tuple(spans)), robust=True)


def flush() -> None:
    """Wait until what was sent is with the collector; for tests and the end of a command."""
    processor().force_flush()


@lru_cache(maxsize=1)
def processor() -> BatchSpanProcessor:
    """The queue and thread of this process, made with the first span, so behind a worker's fork."""
    exporter = OTLPSpanExporter(endpoint=env.read().otel_endpoint, timeout=LONGEST_SECONDS)
    made = BatchSpanProcessor(exporter, schedule_delay_millis=EVERY_MS)
    atexit.register(made.shutdown)
    return made


def _send(trace_id: str, spans: Iterable[Span]) -> None:
    resource = Resource({"service.name": f"countersign-{env.read().process_role}"})
    for one in spans:
        parent = None if one.key == ROOT else _context(trace_id, one.parent)
        processor().on_end(
            ReadableSpan(
                one.name, _context(trace_id, one.key), parent, resource, dict(one.attributes),
                start_time=one.began_ns, end_time=one.ended_ns, instrumentation_scope=SCOPE,
            )
        )  # fmt: skip


def _context(trace_id: str, key: str) -> SpanContext:
    """Processes that never met name the same span alike: its id is made from trace and key."""
    span_id = int(hashlib.sha256(f"{trace_id}:{key}".encode()).hexdigest()[:16], 16)
    return SpanContext(int(trace_id, 16), span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
