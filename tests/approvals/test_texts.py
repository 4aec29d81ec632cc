"""Reusable texts: kept by managers and admins, put into replies and questions without losing what was typed."""

import html
import re
import threading

import pytest
from django.conf import settings
from django.db import DatabaseError, connection

from approvals import texts
from approvals.models import Handoff, Proposal, ReusableText, Submission
from audit.models import Entry, Unattributed
from portal import models, workspace
from tests.api.calls import browser
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_managing import propose_handoff
from tests.cast import Cast, gather
from tests.conftest import signed_in

LATE = {
    "name": "Parcel is late", "language": "en", "used_for": "reply", "offered": "on",
    "body": "Dear {first_name}, order {order} of {ticket} is late.",
}  # fmt: skip


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def admin(cast: Cast, tail: str = "") -> str:
    return f"/w/{cast.workspace.slug}/admin/approvals/reusabletext/{tail}"


def keep(cast: Cast, **other: str) -> ReusableText:
    """One, as a manager keeps it."""
    answer = browser(cast, "mara").post(admin(cast, "add/"), {**LATE, **other})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    with workspace.within(cast.ws):
        return ReusableText.objects.latest("pk")


def customer(cast: Cast, first_name: str = "Cleo") -> str:
    key = "cu-texts"
    with workspace.within(cast.ws):
        models.Customer.objects.create(
            workspace=cast.workspace, customer_id=key, first_name=first_name, last_name="Custer", email="c@example.com"
        )
    return key


def case_of(cast: Cast, target: str) -> int:
    with workspace.within(cast.ws):
        return int(texts.Case.objects.get(subject=target).pk)


def reply_form(cast: Cast, target: str) -> str:
    return f"/cases/{case_of(cast, target)}/new/ticket.reply/"


def written(page: str) -> str:
    """What stands in the field of the reply."""
    (found,) = re.findall(r'<textarea name="body"[^>]*>\s?(.*?)</textarea>', page, re.DOTALL)
    return html.unescape(found).lstrip("\n")


def in_language(cast: Cast, target: str, language: str) -> Handoff:
    """A hand-off of a ticket that was read in this language."""
    made = steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P9"})
    with signed_in("owner"), workspace.within(cast.ws):
        Submission.objects.filter(pk=made.pk).update(language=language)
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        return Handoff.objects.get(submission=made)


# Keeping -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mara", "ada"])
def test_managers_and_admins_keep_texts_and_each_change_is_on_the_log(cast: Cast, name: str) -> None:
    client = browser(cast, name)
    assert client.post(admin(cast, "add/"), LATE).status_code == 302
    with workspace.within(cast.ws):
        row = ReusableText.objects.get()
    changed = {**LATE, "body": "It is late.", "offered": ""}
    for _ in range(2):  # the second changes nothing
        assert client.post(admin(cast, f"{row.pk}/change/"), changed).status_code == 302
    with workspace.within(cast.ws):
        said = list(Entry.objects.filter(event="text.set").order_by("version"))
        assert [(one.subject, one.version, one.actor) for one in said] == [
            (f"text:{row.pk}", number, f"person:{cast.id(name)}") for number in (1, 2)
        ]
        assert '"offered":false' in said[1].canonical
        assert "late" not in said[0].canonical  # the words are personal values: they can be taken away
        assert not Unattributed.objects.exists()
    assert "Text set" in client.get(admin(cast, f"{row.pk}/history/")).content.decode()


@pytest.mark.parametrize(("name", "status"), [("rosa", 404), ("odile", 403)])
def test_nobody_else_keeps_them(cast: Cast, name: str, status: int) -> None:
    assert browser(cast, name).post(admin(cast, "add/"), LATE).status_code == status
    with workspace.within(cast.ws):
        assert not ReusableText.objects.exists()


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"body": "Card {card_number}"}, "body", "{card_number} is no gap"),
        ({"body": "  "}, "body", "required"),
        ({"name": "\u200b"}, "name", "give it a name"),
        ({"body": "x" * 4_001}, "body", "at most"),
        ({"language": "fr"}, "language", "not one of"),
        ({"used_for": "spam"}, "used_for", "not one of"),
    ],
)
def test_what_cannot_be_kept_is_told_beside_its_field(cast: Cast, said: dict[str, str], field: str, words: str) -> None:
    answer = browser(cast, "mara").post(admin(cast, "add/"), {**LATE, **said})
    assert answer.status_code == 200
    assert words.lower() in str(answer.context["adminform"].form.errors[field]).lower()


def test_a_name_is_once_in_a_language_of_a_workspace(cast: Cast) -> None:
    keep(cast)
    answer = browser(cast, "mara").post(admin(cast, "add/"), LATE)
    assert "already" in str(answer.context["adminform"].form.errors["name"])
    keep(cast, language="de")
    keep(gather())


def test_a_new_one_begins_with_a_default_that_is_not_replaced_yet(cast: Cast) -> None:
    ada = browser(cast, "ada")
    assert "A colleague is looking into it" in ada.get(admin(cast, "add/")).content.decode()
    keep(cast, used_for="holding", name="Soon")
    assert "kümmert sich darum" in ada.get(admin(cast, "add/")).content.decode()
    keep(cast, used_for="holding", name="Bald", language="de")
    assert "kümmert" not in ada.get(admin(cast, "add/")).content.decode()


def test_the_database_lets_nobody_delete_one_and_agents_read_none(cast: Cast) -> None:
    row = keep(cast)
    for role in ("web", "apply", "agents"):
        with signed_in(role), pytest.raises(DatabaseError, match="permission denied"), workspace.within(cast.ws):
            ReusableText.objects.filter(pk=row.pk).delete()
    with signed_in("agents"), pytest.raises(DatabaseError, match="permission denied"), workspace.within(cast.ws):
        ReusableText.objects.count()


def test_a_change_past_the_service_is_noticed(cast: Cast) -> None:
    row = keep(cast)
    with workspace.within(cast.ws), connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_reusabletext SET body = 'Pay here' WHERE id = %s", [row.pk])
    with signed_in("owner"), workspace.within(cast.ws):
        assert Unattributed.objects.filter(table="approvals_reusabletext").exists()


# Inserting -----------------------------------------------------------------------------------------------


def insert(desk: Desk, where: str, chosen: object, **typed: str) -> tuple[int, str]:
    answer = desk.post(where, {"text": str(chosen), "insert": "1", "key": "k-1", "clauses": "", "body": "", **typed})
    return answer.status_code, text(answer)


def test_a_text_is_put_behind_what_was_typed_and_nothing_else_is_lost(cast: Cast) -> None:
    row, target = keep(cast), steps.ticket(cast, customer=customer(cast))
    steps.order(cast, customer="cu-texts")
    status, page = insert(
        sit_down(cast, "rosa"), reply_form(cast, target), row.pk, body="Hello & good day", clauses="a, b", asks="1"
    )
    assert status == 200
    with workspace.within(cast.ws):
        order = models.Order.objects.get().order_id
        assert not Submission.objects.exists()
    assert written(page) == (f"Hello & good day\n\nDear Cleo, order {order} of {target.partition(':')[2]} is late.")
    assert 'name="clauses" value="a, b"' in page
    assert 'name="key" value="k-1"' in page
    assert re.search(r'name="asks" value="1" checked', page)


def test_a_question_ticks_that_the_case_waits(cast: Cast) -> None:
    row, target = keep(cast, used_for="question", body="Which order?"), steps.ticket(cast)
    _status, page = insert(sit_down(cast, "rosa"), reply_form(cast, target), row.pk)
    assert re.search(r'name="asks" value="1" checked', page)


def test_what_a_customer_is_called_and_what_a_text_says_is_escaped(cast: Cast) -> None:
    row = keep(cast, name="<i>Late</i>", body="<b>{first_name}</b> {ticket}")
    target = steps.ticket(cast, customer=customer(cast, "</textarea><script>{order}"))
    _status, page = insert(sit_down(cast, "rosa"), reply_form(cast, target), row.pk)
    assert "<script>{order}" not in page
    assert "<i>Late" not in page
    assert written(page).startswith("<b></textarea><script>{order}</b> T-")


@pytest.mark.parametrize("chosen", ["", "999999", "x", "999999999999999999999999"])
def test_who_chooses_none_is_told_and_keeps_what_was_typed(cast: Cast, chosen: str) -> None:
    status, page = insert(sit_down(cast, "rosa"), reply_form(cast, steps.ticket(cast)), chosen, body="Typed.")
    assert status == 422
    assert "Choose a text first." in page
    assert written(page) == "Typed."


def test_a_text_of_another_workspace_and_one_that_is_not_offered_cannot_be_put_in(cast: Cast) -> None:
    theirs, ours = keep(gather()), keep(cast, offered="")
    for row in (theirs, ours):
        status, page = insert(sit_down(cast, "rosa"), reply_form(cast, steps.ticket(cast)), row.pk)
        assert (status, written(page)) == (422, "")


def test_an_open_gap_is_not_sent(cast: Cast) -> None:
    where = reply_form(cast, steps.ticket(cast))
    answer = sit_down(cast, "rosa").post(where, {"body": "Order {order} is late.", "clauses": "", "key": "k-1"})
    assert answer.status_code == 422
    assert "Fill in {order}, or take it out" in text(answer)
    with workspace.within(cast.ws):
        assert not Submission.objects.exists()


def test_it_is_offered_in_the_edit_of_a_reply_and_the_edit_of_nothing_else(cast: Cast) -> None:
    row, target = keep(cast, body="Soon, {ticket}."), steps.ticket(cast)
    proposal = steps.propose(cast, target, "ticket.reply", target, {"body": "Hello.", "clauses": []})
    rosa, where = sit_down(cast, "rosa"), f"/proposals/{proposal.pk}/edit/"
    assert "Parcel is late" in text(rosa.get(where))
    seen = {"revision": str(proposal.revision), "digest": proposal.digest}
    status, page = insert(rosa, where, row.pk, body="Hello.", **seen)
    assert status == 200
    assert written(page) == f"Hello.\n\nSoon, {target.partition(':')[2]}."
    assert f'name="digest" value="{proposal.digest}"' in page
    with workspace.within(cast.ws):
        assert Proposal.objects.get(pk=proposal.pk).revision == 1
    other = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    assert "Parcel is late" not in text(rosa.get(f"/proposals/{other.pk}/edit/"))


def test_who_may_not_decide_puts_nothing_in(cast: Cast) -> None:
    where = reply_form(cast, steps.ticket(cast))
    assert sit_down(cast, "odile").post(where, {"text": "holding-en", "insert": "1"}).status_code == 403


# The holding message -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "begins"), [("en", "Thank you"), ("de", "Vielen Dank"), ("fr", "Thank you"), ("", "Thank you")]
)
def test_the_holding_message_speaks_the_customers_language_as_far_as_there_is_one(
    cast: Cast, language: str, begins: str
) -> None:
    row = in_language(cast, steps.ticket(cast), language)
    page = text(sit_down(cast, "rosa").get(f"/cases/{row.case_id}/new/ticket.reply/?handoff={row.pk}&text=holding"))
    assert written(page).startswith(begins)


def test_a_text_of_the_workspace_takes_the_place_of_the_default(cast: Cast) -> None:
    keep(cast, used_for="holding", name="Soon", body="We are on it, {ticket}.")
    target = steps.ticket(cast)
    page = text(sit_down(cast, "rosa").get(reply_form(cast, target) + "?text=holding"))
    assert written(page) == f"We are on it, {target.partition(':')[2]}."
    assert 'value="holding-en"' not in page
    assert 'value="holding-de"' in page


def test_reviewers_are_offered_it_on_a_hand_off_and_on_a_case(cast: Cast) -> None:
    row = propose_handoff(cast)
    rosa = sit_down(cast, "rosa")
    link = f"/cases/{row.case_id}/new/ticket.reply/?"
    assert f"{link}handoff={row.pk}&amp;text=holding" in text(rosa.get(f"/handoffs/{row.pk}/"))
    assert f"{link}text=holding" in text(rosa.get(f"/cases/{row.case_id}/"))
    assert "text=holding" not in text(sit_down(cast, "odile").get(f"/cases/{row.case_id}/"))
    contact = steps.contact(cast, {"full_name": "Cleo"})
    assert "text=holding" not in text(rosa.get(f"/cases/{case_of(cast, contact)}/"))


def test_the_texts_of_the_case_language_stand_first(cast: Cast) -> None:
    row = in_language(cast, steps.ticket(cast), "de")
    page = text(sit_down(cast, "rosa").get(f"/cases/{row.case_id}/new/ticket.reply/"))
    assert page.index('value="holding-de"') < page.index('value="holding-en"')


def test_of_two_texts_of_one_name_kept_at_once_the_second_is_told_so(cast: Cast) -> None:
    gate, said = threading.Barrier(2), []

    def go(person: str) -> None:
        try:
            sitting = browser(cast, person)
            gate.wait()
            answer = sitting.post(admin(cast, "add/"), LATE)
            said.append([*answer.context["adminform"].form.errors] if answer.status_code == 200 else [])
        finally:
            connection.close()

    other = threading.Thread(target=go, args=("mara",))
    other.start()
    go("ada")
    other.join(30)
    assert sorted(said) == [[], ["name"]]
