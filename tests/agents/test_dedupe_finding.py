"""Duplicates of contacts: what is found is one person, on our own people and on labelled ones of another kind."""

import csv
import random
from hashlib import sha256
from pathlib import Path

import pytest

from agents.dedupe import fields
from agents.dedupe.comparing import Level
from agents.dedupe.finding import Match, find

GOLDEN = Path(__file__).parents[1] / "golden" / "dedupe"
LABELLED = Path(__file__).parents[3] / "shared" / "data" / "crm"

Records = list[tuple[str, dict[str, str]]]


def read(folder: Path, *, births: bool) -> tuple[Records, set[tuple[str, str]]]:
    with (folder / "dedupe_records.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "dedupe_pairs.csv").open(newline="") as file:
        pairs = {tuple(sorted((row["left"], row["right"]))) for row in csv.DictReader(file)}
    left_out = {"record_id", *([] if births else ["date_of_birth"])}
    return [(r["record_id"], {k: v for k, v in r.items() if v and k not in left_out}) for r in rows], pairs


def measure(records: Records, pairs: set[tuple[str, str]]) -> tuple[float, float]:
    known = {key for key, _ in records}
    true = {pair for pair in pairs if set(pair) <= known}
    found = {(match.left, match.right) for match in find(records)}
    return len(found & true) / max(1, len(found)), len(found & true) / len(true)


def person(number: int, **changed: str) -> dict[str, str]:
    """One of a crowd of strangers, each with values of their own."""
    pick = random.Random(number)
    word = lambda: "".join(pick.choices("bcdfghklmnprstvw", k=4)) + "".join(pick.choices("aeiou", k=2))  # noqa: E731
    own = {"given_name": word(), "surname": word(), "address": f"{pick.randrange(1, 300)} {word()} street"}
    return own | {"city": word(), "phone": str(pick.randrange(10**8, 10**9))} | changed


def crowd(*more: tuple[str, dict[str, str]], size: int = 60) -> Records:
    return [(f"crowd-{n:03}", person(n)) for n in range(size)] + list(more)


def among(match: list[Match]) -> set[tuple[str, str]]:
    return {(one.left, one.right) for one in match}


@pytest.mark.parametrize("births", [False, True])
def test_our_own_people_are_found_and_nobody_else(births: bool) -> None:
    precision, recall = measure(*read(GOLDEN, births=births))
    assert precision >= 0.99
    assert recall >= 0.90


@pytest.mark.skipif(not LABELLED.is_dir(), reason="the labelled contacts do not lie beside the checkout")
@pytest.mark.parametrize("half", [0, 1])
def test_each_half_of_the_labelled_people_is_found_by_itself(half: int) -> None:
    records, pairs = read(LABELLED, births=False)
    with (LABELLED / "dedupe_entities.csv").open(newline="") as file:
        entity = {row["record_id"]: row["entity"] for row in csv.DictReader(file)}
    mine = [r for r in records if sha256(entity[r[0]].encode()).digest()[0] % 2 == half]
    precision, recall = measure(mine, pairs)
    assert precision >= 0.99
    assert recall >= 0.90


def test_the_order_of_the_contacts_changes_nothing() -> None:
    records, _ = read(GOLDEN, births=False)
    assert find(records) == find(records[::-1])


def test_slips_and_swapped_names_are_one_person() -> None:
    one = person(1000)
    slipped = person(1000, address=one["address"].replace(" street", " stret"))
    swapped = person(1000, given_name=one["surname"], surname=one["given_name"])
    found = find(crowd(("a", one), ("b", slipped), ("c", swapped)))
    assert among(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    level = {said.field: said.level for match in found if match.right == "c" for said in match.said}
    assert level["given_name"] is Level.ELSEWHERE


def test_two_people_of_one_household_are_not_one() -> None:
    one = person(1000)
    assert find(crowd(("a", one), ("b", person(1000, given_name="someoneelse")))) == []
    born = find(crowd(("a", one | {"dob": "1970-01-01"}), ("b", person(1000, given_name="else", dob="1999-12-31"))))
    assert born == []


def test_another_given_name_is_told_where_an_own_thing_speaks_for_one_person() -> None:
    same = {"date_of_birth": "1970-01-02"}
    records = [(key, values | {"date_of_birth": str(19000000 + n)}) for n, (key, values) in enumerate(crowd())]
    found = find([*records, ("a", person(1000, **same)), ("b", person(1000, given_name="else", **same))])
    assert [(match.left, match.right, match.doubts) for match in found] == [("a", "b", ("given_name",))]


def test_namesakes_elsewhere_are_strangers() -> None:
    one, other = person(1000), person(2000)
    assert find(crowd(("a", one), ("b", other | {"given_name": one["given_name"], "surname": one["surname"]}))) == []


def test_what_is_made_of_a_name_says_no_more_than_the_name() -> None:
    records = [
        (f"k-{n}", {"full_name": "Emma Kim", "legal_name": "Kim Ltd", "email": f"emma.kim{n * 37}@example.com",
                    "city": person(n)["city"]})
        for n in range(4)
    ]  # fmt: skip
    assert find(crowd(*records)) == []


def test_a_city_counts_once_beside_its_postcode() -> None:
    cities = [(f"p-{n:03}", person(n, postcode=str(1000 + n // 3), city=f"town{n // 3}")) for n in range(90)]
    assert find(cities) == []


def test_a_masked_phone_says_nothing() -> None:
    assert fields.normalise("phone", "+49 30 12xx xx99") == ""
    assert fields.normalise("phone", "+49 30 123 45 67") == fields.normalise("mobile_phone", "0301234567")


@pytest.mark.parametrize("records", [[], [("a", {})], [("a", {}), ("b", {})], [("a", {"x": "1"}), ("b", {"x": "1"})]])
def test_too_little_is_no_finding(records: Records) -> None:
    assert find(records) == []


def test_everybody_alike_is_no_finding_and_no_flood() -> None:
    alike = [(f"a-{n:04}", {"full_name": "Test Test", "email": "test@example.com", "city": "X"}) for n in range(500)]
    assert find(alike) == []


def test_any_text_is_compared() -> None:
    odd = "\u202e\u0000é" * 200
    assert find(crowd(("a", {"full_name": odd, "phone": odd}), ("b", {"full_name": odd, "email": "@"}))) == []
