"""The seeds alone carry the first day: what they reach on messages that none of them resembles."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agents.triage import classifier, deciding
from agents.triage.classifier import Labelled, Model, ModelError

GOLDEN = Path(__file__).parents[1] / "golden" / "triage"


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines()]


@cache
def _model() -> Model:
    return classifier.fit(classifier.read_seeds())


def test_the_seeds_cover_each_queue_evenly_and_no_golden_message_is_among_them() -> None:
    seeds = classifier.read_seeds()
    texts = {seed.text.lower() for seed in seeds}
    golden = {row["text"].lower() for row in _rows("messages_own.jsonl") + _rows("compound.jsonl")}
    counts = Counter(seed.queue for seed in seeds)
    assert len(counts) == 11
    assert min(counts.values()) >= 45
    assert len(texts) == len(seeds)
    assert not texts & golden


def test_the_seeds_name_queue_and_priority_of_our_golden_messages() -> None:
    rows = _rows("messages_own.jsonl")
    said = _model().predict_many([row["text"] for row in rows])
    queue = sum(s.queue == row["queue"] for s, row in zip(said, rows, strict=True)) / len(rows)
    priority = sum(s.priority == row["priority"] for s, row in zip(said, rows, strict=True)) / len(rows)
    urgent = [s.priority for s, row in zip(said, rows, strict=True) if row["priority"] == "P1"]
    assert len(rows) >= 70
    assert queue >= 0.88
    assert priority >= 0.88
    assert urgent.count("P1") / len(urgent) >= 0.92


def test_what_would_go_without_a_person_is_right() -> None:
    model = _model()
    for row in _rows("messages_own.jsonl"):
        outcome = deciding.decide(row["text"], model, queues=model.queues)
        if outcome.confidence >= 0.80 and outcome.drafts:
            assert outcome.drafts[0].args["queue"] == row["queue"]


def test_two_matters_are_led_by_the_more_urgent_one() -> None:
    rows, model = _rows("compound.jsonl"), _model()
    outcomes = [deciding.decide(row["text"], model, queues=model.queues) for row in rows]
    led = [o.drafts[0].args["queue"] if o.drafts else "" for o in outcomes]
    both = [
        f"also:{row['other_queue']}" in json.dumps(dict(o.drafts[0].args)) if o.drafts else False
        for o, row in zip(outcomes, rows, strict=True)
    ]
    assert sum(queue == row["queue"] for queue, row in zip(led, rows, strict=True)) / len(rows) >= 0.75
    assert sum(both) / len(rows) >= 0.6


def test_two_fits_of_the_same_rows_say_the_same() -> None:
    texts = [row["text"] for row in _rows("messages_own.jsonl")]
    assert classifier.fit(classifier.read_seeds()).predict_many(texts) == _model().predict_many(texts)


def test_probabilities_of_all_queues_add_up_to_one() -> None:
    said = _model().predict("where is my parcel")
    assert sum(probability for _, probability in said.alternatives) == pytest.approx(1.0, abs=1e-6)
    assert said.alternatives[0][0] == said.queue
    assert 0.0 <= said.confidence <= said.alternatives[0][1] + 1e-9


def test_a_model_is_named_by_the_hash_of_its_bytes_and_comes_back_as_it_was(tmp_path: Path) -> None:
    path = classifier.save(_model(), tmp_path)
    again = classifier.load(path, digest=path.stem)
    assert again.predict("card stolen") == _model().predict("card stolen")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_changed_file_is_not_unpacked(tmp_path: Path) -> None:
    path = classifier.save(_model(), tmp_path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelError):
        classifier.load(path)


def test_a_file_other_than_the_expected_one_is_not_unpacked(tmp_path: Path) -> None:
    path = classifier.save(_model(), tmp_path)
    with pytest.raises(ModelError):
        classifier.load(path, digest="0" * 64)


def test_rows_with_intents_and_rare_labels_are_learned_beside_rows_without() -> None:
    extra = [Labelled("my drone fell into the lake", "technical_issue", "P3", "drone")]
    model = classifier.fit(classifier.read_seeds() + extra)
    assert model.predict("my drone fell into the lake").queue == "technical_issue"


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(ModelError):
        classifier.fit([Labelled("a card", "fraud_security", "P1"), Labelled("a parcel", "orders_delivery", "P3")])
