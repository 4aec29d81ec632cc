"""The walls between workspaces: read from the catalogue, and tried."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from approvals.models import Case, Submission
from portal import models, walls, workspace
from tests.approvals import steps
from tests.cast import gather
from tests.conftest import signed_in


def test_every_table_of_a_workspace_has_row_security_and_a_policy(live: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity")
        secured = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT tablename FROM pg_policies")
        ruled = {row[0] for row in cursor.fetchall()}
    tables = {model._meta.db_table for model in walls.tables()}
    assert len(tables) > 25
    assert tables - secured == set()
    assert tables - ruled == set()


def test_every_table_of_ours_says_its_workspace(live: None) -> None:
    ours = {m._meta.db_table for app in walls.APPS for m in apps.get_app_config(app).get_models()}
    inside = {m._meta.db_table for m in walls.tables()}
    assert ours - inside == {
        "portal_person", "portal_workspace", "portal_noticecursor", "approvals_pulse", "approvals_switcheverywhere",
        "audit_leaf", "audit_node", "audit_checkpoint", "audit_anchor",  # one tree over all of them
        "audit_verification",
    }  # fmt: skip


def test_no_composite_key_is_missing(live: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, (SELECT array_agg(attname::text ORDER BY ord) FROM unnest(conkey)"
            " WITH ORDINALITY k(num, ord) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.num)"
            " FROM pg_constraint WHERE contype = 'f'"
        )
        found = {(table, tuple(columns)) for table, columns in cursor.fetchall()}
    wanted = {(table, ("workspace_id", column)) for table, column, _ in walls.composite_keys()}
    assert len(wanted) > 20
    assert wanted - found == set()


@pytest.mark.parametrize("role", ["web", "apply", "agents"])
def test_a_query_without_a_workspace_finds_nothing(live: None, role: str) -> None:
    cast = gather()
    steps.ticket(cast)
    with signed_in(role):
        assert models.Ticket.objects.count() == 0
        with transaction.atomic():
            assert models.Ticket.objects.count() == 0
        with workspace.within(cast.ws):
            assert models.Ticket.objects.count() == 1


def test_a_query_that_forgot_its_filter_finds_its_own_workspace_only(live: None) -> None:
    first, second = gather(), gather()
    steps.ticket(first)
    steps.ticket(second)
    with workspace.within(first.ws):
        assert list(models.Ticket.objects.values_list("workspace", flat=True)) == [first.ws]
        assert Case.objects.filter(workspace=second.ws).count() == 0


def test_the_setting_does_not_outlive_its_transaction(live: None) -> None:
    cast = gather()
    steps.ticket(cast)
    with workspace.within(cast.ws):
        assert models.Ticket.objects.exists()
    assert not models.Ticket.objects.exists()


def test_a_row_cannot_point_into_another_workspace(live: None) -> None:
    first, second = gather(), gather()
    steps.ticket(second)
    with workspace.within(second.ws):
        foreign = Case.objects.get()
    with pytest.raises(DatabaseError) as caught, workspace.within(first.ws, first.id("rosa")):
        Submission.objects.create(
            workspace=first.workspace, case_id=foreign.pk, kind="action", key="x", payload={},
            proposer=f"person:{first.id('rosa')}",
        )  # fmt: skip
    assert caught.value.__cause__.sqlstate == "23503"  # type: ignore[union-attr]


def test_a_row_cannot_be_written_for_another_workspace(live: None) -> None:
    first, second = gather(), gather()
    with pytest.raises(DatabaseError) as caught, workspace.within(first.ws):
        models.Queue.objects.create(workspace=second.workspace, name="x", title="X")
    assert caught.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]


def test_a_person_sees_the_workspaces_they_belong_to(live: None) -> None:
    first, second = gather(), gather()
    with workspace.within(None, first.id("rosa")):
        assert list(models.Workspace.objects.values_list("id", flat=True)) == [first.ws]
        assert not models.Membership.objects.filter(workspace=second.ws).exists()
    with workspace.within(None, first.id("otto")):
        assert not models.Workspace.objects.exists()


def test_every_policy_of_a_workspace_row_compares_with_the_setting(live: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, qual, with_check FROM pg_policies WHERE policyname = 'inside'")
        rows = cursor.fetchall()
    assert len(rows) > 20
    for table, qual, check in rows:
        assert "workspace_id = (NULLIF(current_setting('countersign.workspace'" in qual, table
        assert check == qual, table


def test_every_key_between_two_tables_of_a_workspace_has_its_composite_twin(live: None) -> None:
    """Derived from the catalogue alone, so that a key the walls forget is found."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH inside AS (SELECT attrelid FROM pg_attribute WHERE attname = 'workspace_id' AND NOT attisdropped),"
            " keys AS (SELECT conrelid, confrelid, (SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute"
            "  WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS columns FROM pg_constraint WHERE contype = 'f')"
            " SELECT k.conrelid::regclass::text, k.columns[1] FROM keys k WHERE cardinality(k.columns) = 1"
            " AND k.columns[1] <> 'workspace_id' AND k.conrelid IN (SELECT attrelid FROM inside)"
            " AND k.confrelid IN (SELECT attrelid FROM inside) AND NOT EXISTS (SELECT FROM keys c WHERE"
            " c.conrelid = k.conrelid AND c.confrelid = k.confrelid AND cardinality(c.columns) = 2"
            " AND 'workspace_id' = ANY (c.columns) AND k.columns[1] = ANY (c.columns))"
        )
        lonely = {row for row in cursor.fetchall() if row[0] != "audit_payload"}
    assert lonely == set()
