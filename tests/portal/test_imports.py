"""Books out of a folder: what comes in, what is refused and where, and that nothing is ever half done."""

import io
import json
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import Entry
from portal import imports, money, pages, staff, workspace
from portal.imports import rows
from portal.imports.shelves import SHELVES
from portal.models import Clause, Customer, Order, OrderItem, Payment, PaymentMethod
from tests.conftest import signed_in

TABLES = {
    "customers.csv": (
        "customer_id,first_name,last_name,email,address1,address2,city,state,zip,country\n"
        'c-1,Ana,Ortiz,ana@shop.example,"Calle 1, 2º",,Sevilla,,41001,ES\n'
        "c-2,Ken,Abe,ken@shop.example,,,Osaka,,530-0001,JP\n"
    ),
    "payment_methods.csv": (
        "payment_method_id,customer_id,kind,brand,last_four,gift_card_balance\n"
        "m-1,c-1,gift_card,,,17.0\n"
        "m-2,c-2,credit_card,visa,0042,\n"
    ),
    "orders.csv": (
        "order_id,customer_id,status,item_count,paid_total,currency,tracking_ids,"
        "ship_city,ship_state,ship_zip,ship_country\n"
        "#1,c-1,delivered,2,45.1,EUR,,Sevilla,,41001,ES\n"
        "#2,c-2,pending,1,4500,JPY,,Osaka,,530-0001,JP\n"
    ),
    "order_items.csv": (
        "order_id,line,item_id,product_id,product,quantity,unit_price,options\n"
        '#1,1,i-1,p-1,Lamp,1,40.00,"{""colour"": ""red""}"\n'
        "#1,2,i-2,p-2,Bulb,1,5.1,{}\n"
        "#2,1,i-3,p-3,Kettle,3,1500,{}\n"
    ),
    "payment_history.csv": (
        "order_id,seq,type,amount,currency,payment_method_id\n#1,1,payment,45.10,EUR,m-1\n#2,1,payment,4500,JPY,m-2\n"
    ),
    "policy_clauses.jsonl": (
        '{"clause_id":"A-1","section":"Amounts","text":"Only what was paid.","origin":"ours"}\n'
        '{"clause_id":"A-2","section":"Amounts","text":"Never\u2028twice."}\n'
    ),
}
MODELS = (Customer, PaymentMethod, Order, OrderItem, Payment, Clause)


def books(folder: Path, changes: tuple[tuple[str, str, str], ...] = ()) -> Path:
    """The small books, with `(file, old, new)` put in place once each."""
    folder.mkdir(exist_ok=True)
    tables = dict(TABLES)
    for file, old, new in changes:
        assert old in tables[file]
        tables[file] = tables[file].replace(old, new, 1)
    for file, text in tables.items():
        (folder / file).write_text(text, encoding="utf-8", newline="")
    return folder


def opened(currency: str = "EUR") -> tuple[int, str]:
    """A workspace of the test's own."""
    slug = f"shop-{secrets.token_hex(6)}"
    with workspace.within(None):
        return staff.open_workspace(slug=slug, name="Shop", currency=currency, queues={}).pk, slug


def load(folder: Path, key: int) -> imports.Counts:
    with workspace.within(key) as now:
        return imports.load(folder, workspace=key, actor="system:test", now=now, progress=str.strip)


def held(key: int) -> list[int]:
    """How many rows of each table, and import entries, the workspace holds."""
    with workspace.within(key):
        kept = [model.objects.count() for model in MODELS]
        return [*kept, Entry.objects.filter(event="books.imported").count()]


def unattributed(key: int) -> int:
    with workspace.within(key), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_unattributed WHERE workspace_id = %s", [key])
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("live")
class TestAFolderComesIn:
    def test_with_every_row_counted_and_money_exact(self, tmp_path: Path) -> None:
        key, _ = opened()
        counts = load(books(tmp_path), key)
        assert list(counts.read.values()) == list(counts.new.values()) == [2, 2, 2, 3, 2, 2]
        assert held(key) == [2, 2, 2, 3, 2, 2, 1]
        with workspace.within(key):
            assert dict(Order.objects.values_list("order_id", "paid_total_minor")) == {"#1": 4510, "#2": 4500}
            assert PaymentMethod.objects.get(payment_method_id="m-1").balance_minor == 1700
            assert PaymentMethod.objects.get(payment_method_id="m-2").balance_minor is None
            lamp = OrderItem.objects.get(item_id="i-1")
            assert (lamp.unit_price_minor, lamp.order.order_id) == (4000, "#1")
            assert lamp.options == {"colour": "red"}
            assert Customer.objects.get(customer_id="c-1").address1 == "Calle 1, 2º"
            assert [c.text for c in Clause.objects.order_by("position")] == [
                "Only what was paid.", "Never\u2028twice.",
            ]  # fmt: skip

    def test_on_the_log_once_with_digests_and_nothing_unattributed(self, tmp_path: Path) -> None:
        key, _ = opened()
        load(books(tmp_path), key)
        with workspace.within(key):
            entry = Entry.objects.get(event="books.imported")
            Customer.objects.create(workspace_id=key, customer_id="late")
        body = json.loads(entry.canonical)["body"]
        assert body["rows"]["order_items"] == body["new"]["order_items"] == 3
        assert sorted(body["sha256"]) == sorted(TABLES)
        assert all(len(digest) == 64 for digest in body["sha256"].values())
        assert unattributed(key) == 1, "only the write after the import, the control, names no action"

    def test_again_as_a_no_op(self, tmp_path: Path) -> None:
        key, _ = opened()
        load(books(tmp_path), key)
        before = held(key)
        counts = load(tmp_path, key)
        assert sum(counts.new.values()) == 0
        assert list(counts.read.values()) == [2, 2, 2, 3, 2, 2]
        assert held(key) == before

    def test_again_after_an_action_changed_an_order(self, tmp_path: Path) -> None:
        key, _ = opened()
        load(books(tmp_path), key)
        with signed_in("apply"), workspace.within(key):
            assert Order.objects.filter(order_id="#1").update(status="return requested", version=2) == 1
        assert sum(load(tmp_path, key).new.values()) == 0

    def test_with_what_was_added_since(self, tmp_path: Path) -> None:
        key, _ = opened()
        load(books(tmp_path), key)
        more = books(tmp_path, (
            ("orders.csv", "#2,", "#3,c-1,pending,1,1.00,EUR,,,,,\n#2,"),
            ("order_items.csv", "#2,", "#3,1,i-9,,Plug,1,1.00,{}\n#2,"),
        ))  # fmt: skip
        counts = load(more, key)
        assert [name for name, new in counts.new.items() if new] == ["orders", "order_items"]
        assert held(key)[-1] == 2

    def test_into_two_workspaces_with_the_same_ids(self, tmp_path: Path) -> None:
        (one, _), (two, _) = opened(), opened()
        load(books(tmp_path), one)
        load(tmp_path, two)
        assert held(one) == held(two) == [2, 2, 2, 3, 2, 2, 1]

    def test_once_when_two_bring_it_at_the_same_time(self, tmp_path: Path) -> None:
        key, _ = opened()
        books(tmp_path)
        together = threading.Barrier(2)

        def bring() -> int:
            together.wait(10)
            try:
                return sum(load(tmp_path, key).new.values())
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            brought = [future.result(30) for future in [pool.submit(bring), pool.submit(bring)]]
        assert sorted(brought) == [0, 13]
        assert held(key) == [2, 2, 2, 3, 2, 2, 1]

    def test_with_a_byte_order_mark_windows_lines_and_columns_in_any_order(self, tmp_path: Path) -> None:
        key, _ = opened()
        books(tmp_path)
        for file in TABLES:
            text = (tmp_path / file).read_text(encoding="utf-8")
            (tmp_path / file).write_text("\ufeff" + text, encoding="utf-8", newline="\r\n")
        (tmp_path / "payment_history.csv").write_text(
            "seq,order_id,currency,type,payment_method_id,amount\n1,#1,EUR,payment,m-2,45.10\n"
        )
        assert list(load(tmp_path, key).new.values()) == [2, 2, 2, 3, 1, 2]

    def test_from_the_labelled_data(self, shared_data: Path) -> None:
        key, _ = opened("USD")
        start = time.perf_counter()
        counts = load(shared_data / "refunds", key)
        took = time.perf_counter() - start
        clauses = (shared_data / "refunds" / "policy_clauses.jsonl").read_text(encoding="utf-8").count("\n")
        assert list(counts.new.values()) == [320, 443, 634, 1891, 703, clauses]
        assert took < 10
        assert unattributed(key) == 0
        assert sum(load(shared_data / "refunds", key).new.values()) == 0

    def test_from_the_books_of_the_demo(self) -> None:
        key, _ = opened("EUR")
        counts = load(Path(imports.__file__).parents[2] / "agents" / "demo" / "content", key)
        assert all(counts.new.values())

    def test_a_clause_with_a_new_text_becomes_its_next_version(self, tmp_path: Path) -> None:
        key, _ = opened()
        load(books(tmp_path), key)
        load(books(tmp_path, (("policy_clauses.jsonl", "Only", "Just"),)), key)
        with workspace.within(key):
            clause = pages.in_force(key).get(clause_id="A-1")
            before = Clause.objects.select_related("page").get(clause_id="A-1", version=1)
        assert (clause.version, clause.text.startswith("Just")) == (2, True)
        assert before.page.effective_until == clause.page.effective_from
        assert unattributed(key) == 0


NOT_EUR = "is not an amount of EUR; write at most 2 decimals, like 45.10"
JSON_WAY_OUT = 'write an object like {"name": "value"}'
BROKEN = {
    "a column missing": (
        "orders.csv", "currency,", "", "orders.csv:1:currency: column missing; add it to the header",
    ),
    "a column unknown": (
        "payment_methods.csv", "gift_card_balance", "gift_card_balance,colour",
        "payment_methods.csv:1:colour: no such column; take it off (there are: payment_method_id,"
        " customer_id, kind, brand, last_four, gift_card_balance)",
    ),
    "a column twice": (
        "customers.csv", ",country", ",country,city",
        "customers.csv:1:city: column stands twice; take one off",
    ),
    "a cell too many": (
        "orders.csv", ",ES\n", ",ES,\n",
        "orders.csv:2: 12 cells where the header has 11; quote cells that hold a comma",
    ),
    "an id twice": (
        "customers.csv", "c-2,", "c-1,",
        "customers.csv:3:customer_id: 'c-1' stands on line 2 already; give it a number or id of its own",
    ),
    "a line of an order twice": (
        "order_items.csv", "#1,2,", "#1,1,",
        "order_items.csv:3:line: 1 stands on line 2 already; give it a number or id of its own",
    ),
    "a clause twice": (
        "policy_clauses.jsonl", "A-2", "A-1",
        "policy_clauses.jsonl:2:clause_id: 'A-1' stands on line 1 already; give it a number or id of its own",
    ),
    "an order of nobody": (
        "orders.csv", "#2,c-2", "#2,c-9",
        "orders.csv:3:customer_id: 'c-9' is not in customers.csv; add it there or correct it here",
    ),
    "a method of nobody": (
        "payment_methods.csv", "m-1,c-1", "m-1,c-9",
        "payment_methods.csv:2:customer_id: 'c-9' is not in customers.csv; add it there or correct it here",
    ),
    "an item of no order": (
        "order_items.csv", "#2,1", "#9,1",
        "order_items.csv:4:order_id: '#9' is not in orders.csv; add it there or correct it here",
    ),
    "a payment of no order": (
        "payment_history.csv", "#2,1", "#9,1",
        "payment_history.csv:3:order_id: '#9' is not in orders.csv; add it there or correct it here",
    ),
    "a payment by no method": (
        "payment_history.csv", "EUR,m-1", "EUR,m-9",
        "payment_history.csv:2:payment_method_id: 'm-9' is not in payment_methods.csv;"
        " add it there or correct it here",
    ),
    "items missing": (
        "order_items.csv", "#1,2,i-2,p-2,Bulb,1,5.1,{}\n", "",
        "orders.csv:2:item_count: says 2, order_items.csv has 1; correct one of them",
    ),
    "another currency than the order's": (
        "payment_history.csv", "45.10,EUR", "45.10,USD",
        "payment_history.csv:2:currency: 'USD' is not the order's currency; write EUR",
    ),
    "no currency": (
        "orders.csv", "4500,JPY", "4500,yen",
        "orders.csv:3:currency: 'yen' is no currency; write the ISO 4217 code, like EUR",
    ),
    "too many decimals": ("orders.csv", "45.1,", "45.100,", f"orders.csv:2:paid_total: '45.100' {NOT_EUR}"),
    "decimals of the yen": (
        "order_items.csv", "1500", "1500.0",
        "order_items.csv:4:unit_price: '1500.0' is not an amount of JPY; write at most 0 decimals, like 45",
    ),
    "a negative amount": (
        "order_items.csv", "40.00", "-40.00",
        "order_items.csv:2:unit_price: '-40.00' is negative; write at most 2 decimals, like 45.10",
    ),
    "an exponent": ("orders.csv", "45.1,", "1e3,", f"orders.csv:2:paid_total: '1e3' {NOT_EUR}"),
    "not a number": ("orders.csv", "45.1,", "NaN,", f"orders.csv:2:paid_total: 'NaN' {NOT_EUR}"),
    "digits of another script": (
        "orders.csv", "45.1,", "\u0664\u0665,", f"orders.csv:2:paid_total: '\u0664\u0665' {NOT_EUR}",
    ),
    "a balance with a comma": (
        "payment_methods.csv", "17.0", '"17,0"', f"payment_methods.csv:2:gift_card_balance: '17,0' {NOT_EUR}",
    ),
    "more than a ledger holds": (
        "orders.csv", "45.1,", "90071992547409.92,",
        "orders.csv:2:paid_total: '90071992547409.92' is too much; the most is 90071992547409.91",
    ),
    "a payment of nothing": (
        "payment_history.csv", "45.10", "0.00",
        "payment_history.csv:2:amount: is zero; a payment is more, take the row out or correct it",
    ),
    "a type unknown": (
        "payment_history.csv", "payment,45", "chargeback,45",
        "payment_history.csv:2:type: 'chargeback' is none of 'payment' or 'refund'; write one of them",
    ),
    "a number in words": (
        "order_items.csv", "Lamp,1,", "Lamp,one,",
        "order_items.csv:2:quantity: 'one' is not a whole number from 1 on; write digits, like 3",
    ),
    "an id too long": (
        "orders.csv", "#2,c-2", f"#{'2' * 40},c-2",
        "orders.csv:3:order_id: 41 characters where at most 40 fit; shorten it",
    ),
    "an id empty": ("customers.csv", "c-1,", ",", "customers.csv:2:customer_id: is empty; fill it in"),
    "a name empty": ("customers.csv", "Ana,", ",", "customers.csv:2:first_name: is empty; fill it in"),
    "an id with a space": (
        "orders.csv", "#1,c-1,", "#1 ,c-1,",
        "orders.csv:2:order_id: '#1 ' has spaces around it or unprintable characters; take them out",
    ),
    "a NUL": (
        "customers.csv", "Sevilla", "Se\0villa", "customers.csv:2:city: holds a NUL character; take it out",
    ),
    "a NUL in JSON": (
        "order_items.csv", '""red""', '""r\\u0000d""',
        "order_items.csv:2:options: holds a NUL character; take it out",
    ),
    "half a character in JSON": (
        "order_items.csv", '""red""', '""\\ud800""',
        "order_items.csv:2:options: not JSON (unexpected end of hex escape at 19); " + JSON_WAY_OUT,
    ),
    "options that are no JSON": (
        "order_items.csv", "5.1,{}", "5.1,{",
        "order_items.csv:3:options: not JSON (EOF while parsing an object at 1); " + JSON_WAY_OUT,
    ),
    "options that are a list": (
        "order_items.csv", "5.1,{}", "5.1,[]",
        "order_items.csv:3:options: [] is not an object; write one like {\"name\": \"value\"}",
    ),
    "an option that is a number": (
        "order_items.csv", '""red""', "NaN",
        "order_items.csv:2:options: nan is not text; put it in quotation marks",
    ),
    "a quotation mark left open": (
        "customers.csv", "c-2,Ken", 'c-2,"Ken',
        "customers.csv:3: not CSV (unexpected end of data); put cells with quotation marks into"
        ' "..." and double the marks inside',
    ),
    "a line of JSON cut off": (
        "policy_clauses.jsonl", 'twice."}', "twice",
        'policy_clauses.jsonl:2:60: not JSON (EOF while parsing a string); ' + JSON_WAY_OUT,
    ),
    "a clause that is no object": (
        "policy_clauses.jsonl", TABLES["policy_clauses.jsonl"].splitlines()[0], "[1]",
        "policy_clauses.jsonl:1: [1] is not an object; write one object a line",
    ),
    "a clause without text": (
        "policy_clauses.jsonl", '"text":"Only what was paid.",', "",
        "policy_clauses.jsonl:1:text: is missing; add it",
    ),
    "a clause with half a character": (
        "policy_clauses.jsonl", "Only", "\\udc00",
        "policy_clauses.jsonl:1:53: not JSON (lone leading surrogate in hex escape); " + JSON_WAY_OUT,
    ),
    "a clause with a field unknown": (
        "policy_clauses.jsonl", '"origin"', '"orgin"',
        "policy_clauses.jsonl:1:orgin: is not known; take it off",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("live")
class TestABrokenFolderIsRefusedWhole:
    @pytest.fixture(scope="class")
    @staticmethod
    def home(django_db_setup, django_db_blocker) -> int:
        with django_db_blocker.unblock():
            return opened()[0]

    @pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.replace(" ", "-"))
    def test_by_file_line_and_column(self, tmp_path: Path, home: int, case: str) -> None:
        file, old, new, message = BROKEN[case]
        with pytest.raises(imports.BooksRefused) as refused:
            load(books(tmp_path, ((file, old, new),)), home)
        assert str(refused.value) == message
        assert held(home) == [0, 0, 0, 0, 0, 0, 0]

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "orders.csv: empty; a table has at least its header or one row"),
            (b"\xef\xbb\xbf\r\n", "orders.csv: empty; a table has at least its header or one row"),
            (b"a,b\nc,\xe9\n", "orders.csv:2:3: byte 0xE9 is not UTF-8; save the file as UTF-8"),
            (b"a,b\n\xed\xa0\x80", "orders.csv:2:1: byte 0xED is not UTF-8; save the file as UTF-8"),
        ],
    )
    def test_by_its_bytes(self, tmp_path: Path, home: int, data: bytes, message: str) -> None:
        (books(tmp_path) / "orders.csv").write_bytes(data)
        with pytest.raises(imports.BooksRefused) as refused:
            load(tmp_path, home)
        assert str(refused.value) == message

    def test_when_a_file_or_the_folder_is_missing(self, tmp_path: Path, home: int) -> None:
        (books(tmp_path) / "orders.csv").unlink()
        with pytest.raises(imports.BooksRefused, match=r"^orders\.csv: no such file in .*; all six tables"):
            load(tmp_path, home)
        with pytest.raises(imports.BooksRefused, match=r"not a folder; name the one that holds the tables$"):
            load(tmp_path / "nowhere", home)

    @pytest.mark.parametrize(
        ("file", "old", "new", "place"),
        [
            ("customers.csv", "ken@", "kenji@", "customers.csv:3:email: 'c-2' is in the books with another"),
            ("payment_methods.csv", "17.0", "18", "payment_methods.csv:2:gift_card_balance: 'm-1' is in the"),
            ("orders.csv", "pending", "delivered", "orders.csv:3:status: '#2' is in the books with another"),
            ("order_items.csv", "Bulb", "Bulbs", "order_items.csv:3:product: 2 is in the books with another"),
            ("payment_history.csv", "EUR,m-1", "EUR,m-2", "payment_history.csv:2:payment_method_id: 1 is in"),
            ("payment_history.csv", "#2,", "#1,2,refund,1,EUR,m-1\n#2,", "payment_history.csv:3:seq: its"),
        ],
    )
    def test_where_it_would_change_the_books(self, tmp_path: Path, file: str, old: str, new: str, place: str) -> None:
        key, _ = opened()
        load(books(tmp_path), key)
        before = held(key)
        added = ("customers.csv", "c-2,", "c-3,Eva,Lind,eva@shop.example,,,,,,\nc-2,")
        shift = place.replace("customers.csv:3", "customers.csv:4")
        with pytest.raises(imports.BooksRefused) as refused:
            load(books(tmp_path, (added, (file, old, new))), key)
        assert str(refused.value).startswith(shift)
        assert held(key) == before, "the customer that was new is not there either"


@pytest.mark.usefixtures("live")
class TestTheCommand:
    def test_prints_one_json_object_and_progress_beside_it(self, tmp_path: Path) -> None:
        key, slug = opened()
        out, err = io.StringIO(), io.StringIO()
        call_command("import_books", books(tmp_path), workspace=slug, json=True, stdout=out, stderr=err)
        said = json.loads(out.getvalue())
        assert (said["orders"], said["order_items"], said["new"]["order_items"]) == (2, 3, 3)
        assert "order_items.csv: 3 rows read\n" in err.getvalue()
        assert held(key)[-1] == 1

    @pytest.mark.parametrize(
        ("slug", "message"),
        [(None, "--workspace: name one"), ("no-such-shop", "--workspace: there is no 'no-such-shop'")],
    )
    def test_ends_with_code_2_unless_told_where(self, tmp_path: Path, slug: str, message: str) -> None:
        opened(), opened()
        with pytest.raises(CommandError) as refused:
            call_command("import_books", books(tmp_path), workspace=slug)
        assert refused.value.returncode == 2
        assert str(refused.value).startswith(message)

    def test_ends_with_code_2_and_one_line_for_broken_books(self, tmp_path: Path) -> None:
        key, slug = opened()
        out = io.StringIO()
        broken = books(tmp_path, (("orders.csv", "45.1,", "1e3,"),))
        with pytest.raises(CommandError) as refused:
            call_command("import_books", broken, workspace=slug, json=True, stdout=out, stderr=io.StringIO())
        assert refused.value.returncode == 2
        assert str(refused.value) == f"orders.csv:2:paid_total: '1e3' {NOT_EUR}"
        assert (out.getvalue(), sum(held(key))) == ("", 0)


def test_what_the_provider_calls_a_payment_comes_in_where_its_column_is(live: None, tmp_path: Path) -> None:
    key, _ = opened()
    named = (
        ("payment_history.csv", "payment_method_id\n", "payment_method_id,outside_id\n"),
        ("payment_history.csv", "EUR,m-1", "EUR,m-1,pi_77"), ("payment_history.csv", "JPY,m-2", "JPY,m-2,"),
    )  # fmt: skip
    load(books(tmp_path / "named", named), key)
    with workspace.within(key):
        assert list(Payment.objects.order_by("order__order_id").values_list("outside_id", flat=True)) == ["pi_77", ""]
    other = (named[0], ("payment_history.csv", "EUR,m-1", "EUR,m-1,pi_78"), named[2])
    with pytest.raises(imports.BooksRefused, match="outside_id"):
        load(books(tmp_path / "other", other), key)


def test_a_row_takes_just_as_much_text_as_the_books_hold() -> None:
    seen = set()
    for kind in rows.Row.__subclasses__():
        shelf = SHELVES.get(kind.FILE.split(".")[0])
        model = shelf.model if shelf else Clause  # pages are published, not put on a shelf
        widths = {field.name: field.max_length for field in model._meta.concrete_fields}
        for name, field in kind.model_fields.items():
            most = next((m.max_length for m in field.metadata if hasattr(m, "max_length")), None)
            if most and widths.get(name):
                assert (name, most) == (name, widths[name])
                seen.add((kind.FILE, name))
    assert len(seen) == 22


@pytest.mark.parametrize(
    ("text", "currency", "minor", "shown"),
    [
        ("45.1", "EUR", 4510, "45.10 EUR"),
        ("0", "GBP", 0, "0.00 GBP"),
        ("007.50", "USD", 750, "7.50 USD"),
        ("4500", "JPY", 4500, "4500 JPY"),
        ("1.005", "KWD", 1005, "1.005 KWD"),
        ("0.0001", "CLF", 1, "0.0001 CLF"),
        ("90071992547409.91", "EUR", 2**53 - 1, "90071992547409.91 EUR"),
    ],
)
def test_money_is_exact_both_ways(text: str, currency: str, minor: int, shown: str) -> None:
    assert money.to_minor(text, currency) == minor
    assert money.shown(minor, currency) == shown
    assert money.to_minor(money.to_text(minor, currency), currency) == minor


def test_a_difference_keeps_its_sign() -> None:
    assert money.to_text(-5, "EUR") == "-0.05"


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "1.", ".5", "1,5", "1_000", "0x1", "inf", "1\n", "²"])
def test_no_other_form_is_money(text: str) -> None:
    with pytest.raises(money.NotAnAmount):
        money.to_minor(text, "EUR")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "XAU", "ZZZ", "€"])
def test_no_other_code_is_a_currency(code: str) -> None:
    with pytest.raises(money.UnknownCurrency):
        money.decimals(code)
