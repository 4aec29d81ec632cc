"""Step-up: one purpose, one digest and amount, one session, five minutes, once; and what a code is worth twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator

from audit.models import Entry
from portal import factors, stepup, workspace
from portal.models import Person, StepUp
from tests.cast import PASSWORD, Cast, gather
from tests.presence import SESSION, Codes, passed

ASK = stepup.Ask(
    purpose="approve", subject="proposal:7", digest="a" * 64, words="Approve: Refund 900.00 EUR", target="order:#W1",
    amount_minor=90_000, currency="EUR", high=True,
)  # fmt: skip
LOW = replace(ASK, high=False)


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def asked(cast: Cast, name: str = "mara", ask: stepup.Ask = ASK, **more: object) -> StepUp:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return stepup.challenge(
            workspace=cast.ws, person=cast.id(name), ask=ask, session=SESSION, now=now,
            post={"query": "", "post": "revision=1"}, **more,
        )  # type: ignore[arg-type]  # fmt: skip


def answer(cast: Cast, row: StepUp, given: stepup.Answer, *, session: str = SESSION, name: str = "mara") -> StepUp:
    """Commits what was counted, as the page does."""
    with workspace.within(cast.ws, cast.id(name)) as now:
        try:
            return stepup.verify(
                workspace=cast.ws, person=Person.objects.get(pk=cast.id(name)), step_up=row.pk, session=session,
                answer=given, now=now,
            )[0]  # fmt: skip
        except stepup.StepUpError as error:
            caught = error
    raise caught


def code(cast: Cast, codes: Codes, *, away: int = 0) -> stepup.Answer:
    with workspace.within(cast.ws) as now:
        return stepup.Answer(code=codes.at(now, away=away))


def use(cast: Cast, proof: stepup.Proof | None, ask: stepup.Ask = ASK, name: str = "mara") -> StepUp:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return stepup.use(workspace=cast.ws, person=cast.id(name), proof=proof, ask=ask, now=now)


def test_a_code_passes_it_and_the_proof_is_used_once(cast: Cast) -> None:
    codes = Codes(cast, "mara")
    row = answer(cast, asked(cast), code(cast, codes))
    proof = stepup.Proof(row.pk, SESSION)
    used = use(cast, proof)
    assert (used.method, used.used_at is not None) == ("totp", True)
    with pytest.raises(stepup.Used):
        use(cast, proof)
    with workspace.within(cast.ws):
        entry = Entry.objects.get(event="stepup.passed")
        assert (entry.actor, "totp" in entry.canonical) == (f"person:{cast.id('mara')}", True)
        assert codes.secret not in entry.canonical
        kept = StepUp.objects.get(pk=row.pk).stash
    assert not {"post", "nonce"} & set(kept)


def test_without_a_proof_it_says_for_what(cast: Cast) -> None:
    with pytest.raises(stepup.Needed) as caught:
        use(cast, None)
    assert caught.value.ask == ASK


@pytest.mark.parametrize(
    "other",
    [
        replace(ASK, digest="b" * 64), replace(ASK, amount_minor=90_001), replace(ASK, currency="USD"),
        replace(ASK, subject="proposal:8"), replace(ASK, purpose="resolve"),
    ],
)  # fmt: skip
def test_it_counts_for_nothing_else(cast: Cast, other: stepup.Ask) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        proof = passed(cast, ASK, "mara", now)
    with pytest.raises(stepup.WrongDigest):
        use(cast, proof, other)
    assert use(cast, proof).pk == proof.id


def test_it_is_worth_nothing_to_another_session_or_person(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        proof = passed(cast, ASK, "mara", now)
    elsewhere = stepup.session_of("another-session")
    with pytest.raises(stepup.OtherSession):
        use(cast, replace(proof, session=elsewhere))
    with pytest.raises(stepup.Missing):
        use(cast, proof, name="ravi")
    codes, row = Codes(cast, "mara"), asked(cast)
    with pytest.raises(stepup.OtherSession):
        answer(cast, row, code(cast, codes), session=elsewhere)
    assert use(cast, proof).pk == proof.id
    assert answer(cast, row, code(cast, codes)).passed_at is not None


def test_it_follows_its_session_to_a_new_key(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        proof = passed(cast, ASK, "mara", now)
        after = stepup.session_of("the-new-key")
        stepup.rebind(workspace=cast.ws, person=cast.id("mara"), before=SESSION, after=after)
    with pytest.raises(stepup.OtherSession):
        use(cast, proof)
    assert use(cast, replace(proof, session=after)).pk == proof.id


def test_five_minutes_after_asking_or_passing_it_is_over(cast: Cast) -> None:
    codes, row = Codes(cast, "mara"), asked(cast)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        late = now + stepup.FRESH + timedelta(seconds=1)
        old = passed(cast, ASK, "mara", now, ago=stepup.FRESH + timedelta(seconds=1))
        young = passed(cast, ASK, "mara", now, ago=stepup.FRESH - timedelta(seconds=30))
        with pytest.raises(stepup.Expired):
            stepup.verify(
                workspace=cast.ws, person=cast.people["mara"], step_up=row.pk, session=SESSION,
                answer=stepup.Answer(code=codes.at(late)), now=late,
            )  # fmt: skip
    with pytest.raises(stepup.Expired):
        use(cast, old)
    assert use(cast, young).pk == young.id


def test_what_nobody_answered_is_no_proof(cast: Cast) -> None:
    with pytest.raises(stepup.NotPassed):
        use(cast, stepup.Proof(asked(cast).pk, SESSION))


def test_a_code_counts_once_without_any_cache(cast: Cast) -> None:
    codes = Codes(cast, "mara")
    once = code(cast, codes)
    answer(cast, asked(cast), once)
    again = asked(cast)
    with pytest.raises(stepup.Wrong, match="used already"):
        answer(cast, again, once)
    with pytest.raises(stepup.Wrong, match="used already"):
        answer(cast, again, code(cast, codes, away=-1))
    with workspace.within(cast.ws):
        assert StepUp.objects.get(pk=again.pk).failures == 0  # it was right once: no guess
    assert answer(cast, again, code(cast, codes, away=1)).passed_at is not None


def test_codes_of_two_steps_away_are_wrong(cast: Cast) -> None:
    codes, row = Codes(cast, "mara"), asked(cast)
    for away in (-2, 2):
        with pytest.raises(stepup.Wrong, match="not right"):
            answer(cast, row, code(cast, codes, away=away))


def test_codes_are_those_of_the_standard() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 4226, appendix D: "12345678901234567890"
    shown = [factors.code_of(secret, step) for step in range(5)]
    assert shown == ["755224", "287082", "359152", "969429", "338314"]


def test_after_five_wrong_answers_it_is_dead_even_for_the_right_one(cast: Cast) -> None:
    codes, row = Codes(cast, "mara"), asked(cast)
    for left in (4, 3, 2, 1):
        with pytest.raises(stepup.Wrong, match=f"{left} (try is|tries are) left"):
            answer(cast, row, stepup.Answer(code="000 000"))
    with pytest.raises(stepup.Wrong, match="last try"):
        answer(cast, row, stepup.Answer(code="00000"))
    with pytest.raises(stepup.Dead):
        answer(cast, row, code(cast, codes))
    assert answer(cast, asked(cast), code(cast, codes)).passed_at is not None


def test_new_challenges_are_no_more_tries(cast: Cast) -> None:
    codes = Codes(cast, "mara")
    for _ in range(3):
        row = asked(cast)
        for _ in range(stepup.TRIES):
            with pytest.raises(stepup.Wrong):
                answer(cast, row, stepup.Answer(code="1"))
    with pytest.raises(stepup.TooMany):
        answer(cast, asked(cast), code(cast, codes))
    others = Codes(cast, "ravi")
    assert answer(cast, asked(cast, "ravi"), code(cast, others), name="ravi").passed_at is not None


def test_challenges_are_not_piled_up(cast: Cast) -> None:
    for _ in range(stepup.CHALLENGES):
        asked(cast)
    with pytest.raises(stepup.TooMany):
        asked(cast)


def test_a_password_does_only_where_nobody_has_more_and_never_on_high_tier(cast: Cast) -> None:
    by_password = stepup.Answer(password=PASSWORD)
    row = asked(cast, ask=LOW)
    with pytest.raises(stepup.Wrong, match="password"):
        answer(cast, row, stepup.Answer(password="not-the-password"))
    proof = stepup.Proof(answer(cast, row, by_password).pk, SESSION)
    with pytest.raises(stepup.NotEnough):
        use(cast, proof, ASK)
    assert use(cast, proof, LOW).method == "password"
    with pytest.raises(stepup.NotEnough):
        answer(cast, asked(cast, ask=ASK), by_password)
    waiting = asked(cast, ask=LOW)
    Codes(cast, "ravi")  # somebody of the workspace has set up a factor
    with pytest.raises(stepup.NotEnough):
        answer(cast, waiting, by_password)


def test_factors_of_people_who_left_or_of_other_workspaces_do_not_matter(cast: Cast) -> None:
    Codes(gather(), "mara")
    Codes(cast, "ravi")
    Person.objects.filter(pk=cast.id("ravi")).update(is_active=False)
    assert answer(cast, asked(cast, ask=LOW), stepup.Answer(password=PASSWORD)).method == "password"


def test_a_secret_lies_sealed_and_opens_under_its_key_only(cast: Cast, settings: object) -> None:
    codes = Codes(cast, "mara")
    row = Authenticator.objects.get(user=cast.people["mara"])
    assert codes.secret not in str(row.data)
    assert factors.Adapter().decrypt(row.data["secret"]) == codes.secret
    settings.SECRET_KEY = "another key"  # type: ignore[attr-defined]  # of the fixture
    with pytest.raises(factors.Unreadable):
        factors.Adapter().decrypt(row.data["secret"])
