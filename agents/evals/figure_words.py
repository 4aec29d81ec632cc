"""Names of figures as people read them: what is not here is shown as it is called. Pure: no Django, clock, network."""

from django.utils.translation import gettext_noop as noop

WORDS = frozenset(
    {
        noop("queue accuracy"), noop("priority accuracy"), noop("p1 recall"), noop("auto coverage"),
        noop("auto accuracy"), noop("compound lead accuracy"), noop("wrong effects"), noop("acceptable"),
        noop("approve only exact"), noop("clause recall"), noop("harmed"), noop("exact record"), noop("field recall"),
        noop("masked flagged"), noop("carried out"), noop("overt recall"), noop("false positive rate"),
        noop("routing kept"), noop("guesses"), noop("as expected"), noop("accuracy"), noop("precision"), noop("recall"),
        noop("pairs"), noop("escalation recall"), noop("needless escalations"), noop("hallucinated citations"),
        noop("citations"), noop("unsafe attempts"), noop("tool calls"), noop("tool call accuracy"),
        noop("failed runs"), noop("flags exact"), noop("cost micros"), noop("run cost micros"), noop("p50 ms"),
        noop("p95 ms"), noop("unscored"), noop("score"), noop("other queue"), noop("flagged"), noop("actions"),
    }
)  # fmt: skip
