"""The sandbox's documents: deterministic, odd in every known way yet loadable, exact, changing."""

import json
import re
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from test_sandbox import NOW, HandClock

from sandbox import jsontext, truth
from sandbox.author import Author, Plan, history
from sandbox.clock import parse_beijing
from sandbox.documents import STATUSES
from sandbox.jsontext import Raw
from sandbox.mutations import KINDS, Mutator
from sandbox.store import FIRST_TS, Store

PLAN = Plan(seed=1, documents=3000, days=3, end=NOW - 120, max_lines=2000)
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def filled(plan):
    store = Store(plan.seed)
    store.fill(history(plan, store.next_ts))
    return store


@pytest.fixture(scope="module")
def documents():
    return filled(PLAN).all()


@pytest.fixture(scope="module")
def values(documents):
    return [jsontext.loads(document.body.decode()) for document in documents]


@pytest.fixture(scope="module")
def lines(values):
    return [line for fields in values for line in fields["items"] or []]


@pytest.fixture
def small():
    """A store of 60 documents, and what changes them; the clock stands at NOW."""
    plan = Plan(seed=3, documents=60, days=1, end=NOW - 120, max_lines=30)
    store = filled(plan)
    return store, Mutator(store, Author(plan), HandClock())


# --- the history ----------------------------------------------------------------------------------


def test_the_seed_decides_everything():
    plan = Plan(seed=5, documents=50, end=NOW)
    other = Plan(seed=6, documents=50, end=NOW)
    first, second, third = (truth.raw(filled(each).all()) for each in (plan, plan, other))
    assert first == second
    assert first != third


def test_changes_are_spread_over_the_days_and_partly_simultaneous(documents):
    times = [document.modified for document in documents]
    assert len(times) == 3000
    assert NOW - 120 - 3 * 86400 <= min(times) < NOW - 2.5 * 86400
    assert NOW - 0.5 * 86400 < max(times) <= NOW - 120
    assert max(Counter(times).values()) > 50  # more than a page in one second


def test_row_versions_follow_the_changes_and_need_64_bits(documents):
    ordered = sorted(documents, key=lambda document: document.ts)
    versions = [document.ts for document in ordered]
    assert versions[0] == FIRST_TS == 1491926160718000123
    assert len(set(versions)) == 3000
    assert [document.modified for document in ordered] == sorted(document.modified for document in documents)
    assert any(int(float(version)) != version for version in versions)


def test_what_the_store_knows_is_what_the_body_says(documents, values):
    for document, fields in zip(documents, values, strict=True):
        assert (document.io_id, document.ts) == (int(fields["io_id"]), int(fields["ts"]))
        assert (document.status, document.modified) == (fields["status"], parse_beijing(fields["modified"]))
        assert document.io_date == (None if fields["io_date"] is None else parse_beijing(fields["io_date"]))
        assert document.lines == len(fields["items"] or [])


def test_sizes(documents):
    sizes = Counter(document.lines for document in documents)
    assert max(sizes) == 2000
    assert sizes[2000] == 1
    assert sum(count for size, count in sizes.items() if 100 <= size < 1000) >= 3
    assert sum(count for size, count in sizes.items() if size <= 8) > 2900


def test_every_status_occurs(documents):
    assert {document.status for document in documents} == set(STATUSES)


# --- odd, but loadable ----------------------------------------------------------------------------


def kinds_of(found):
    """How values are written, digits apart: 9, 9.9, "9", null."""
    return {
        json.dumps(value)
        if not isinstance(value, str)
        else re.sub(r"\d+", "9", value if isinstance(value, Raw) else f'"{value}"')
        for value in found
    }


def test_numbers_are_written_in_every_way(values, lines):
    assert kinds_of(line["qty"] for line in lines) == {"9", "9.9", '"9.9"', '"9"', "null", '""', "9E+9", "-9"}
    prices = kinds_of(line["cost_price"] for line in lines)
    assert prices == {"9", "9.9", '"9.9"', "null", '""', "9E-9", "9.9e9"}
    assert {"9.9", "9", '"9.9"', "null", '""', '"9"'} <= kinds_of(line["cost_amount"] for line in lines)
    texts = {str(line["qty"]) for line in lines if isinstance(line["qty"], Raw)}
    assert any(text.endswith(".0000") for text in texts)
    assert {fields["tax_rate"] for fields in values} >= {"13.00", "13", None}
    assert kinds_of(fields["ts"] for fields in values) == {"9", '"9"'}
    assert kinds_of(fields["io_id"] for fields in values) == {"9", '"9"'}
    assert kinds_of(fields["po_id"] for fields in values) == {"9", '"9"', "null", '""'}


def fits(value, whole, fraction):
    """Whether DECIMAL(whole + fraction, fraction) holds the value exactly, or it is NULL."""
    if value in (None, ""):
        return True
    assert NUMBER.fullmatch(value), value
    number = Decimal(value)
    return abs(number) < 10**whole and number == number.quantize(Decimal(1).scaleb(-fraction))


def test_every_number_fits_its_column(values, lines):
    for line in lines:
        assert fits(line["qty"], 8, 4), line
        assert fits(line["cost_price"], 8, 4), line
        assert fits(line["cost_amount"], 8, 2), line
        assert fits(line["tax_rate"], 8, 4), line
    for fields in values:
        for name in ("io_id", "ts", "po_id", "supplier_id", "wh_id", "wms_co_id"):
            assert fits(fields[name], 19, 0), fields[name]
            assert not fields[name] or int(fields[name]) < 1 << 63


def test_texts_fit_and_are_hard(values, lines):
    remarks = [fields["remark"] or "" for fields in values]
    assert max(map(len, remarks)) == 1000
    together = "".join(remarks)
    for piece in ('"', "\\", "\n", "\t", "\r", "😀", "𠜎", "\u2028", "\x01", "{io_id}"):
        assert piece in together, piece
    for record in [*values, *lines]:
        for name, value in record.items():
            if isinstance(value, str) and name != "remark":
                assert len(value) <= 60, (name, value)


def test_line_keys_are_unique_and_beyond_32_bits(lines):
    keys = [int(line["ioi_id"]) for line in lines]
    assert len(set(keys)) == len(keys)
    assert min(keys) > 1 << 32


def test_shapes_vary(values):
    items = [fields["items"] for fields in values]
    assert None in items
    assert [] in items
    assert {type(fields.get("labels")) for fields in values} == {str, list, type(None)}
    assert any(fields["batchs"] for fields in values)
    assert any(fields["sns"] for fields in values)
    assert any("merge_so_id" not in fields for fields in values)
    assert any("new_field" in fields for fields in values)
    assert len({tuple(fields)[:3] for fields in values}) > 10
    assert {bool(fields["archived"]) for fields in values} == {True, False}


def test_escapes_vary(documents):
    bodies = b"".join(document.body for document in documents)
    for piece in (b"\\u91c7", b"\\ud83d\\ude00", b"\\/", b"\\u0001", "😀".encode()):
        assert piece in bodies, piece


def test_odd_can_be_switched_off():
    for document in filled(Plan(documents=300, end=NOW, odd=False, max_lines=20)).all():
        fields = json.loads(document.body)
        assert document.lines >= 1
        assert isinstance(fields["ts"], int)
        assert all(type(line["qty"]) is int and type(line["cost_price"]) is float for line in fields["items"])


# --- exact text -----------------------------------------------------------------------------------

EXACT = (
    '{"a":13.00,"b":"2.0000","c":1491926160718000123,"d":1E-4,"e":null,"f":true,'
    '"g":[1.0,"x"],"h":"\\u0001\\"","i":-0.0,"j":{"k":[]}}'
)


def test_numbers_keep_their_text_both_ways():
    assert jsontext.dumps(jsontext.loads(EXACT)) == EXACT


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("utf8", '"测/😀"'),
        ("ascii", '"\\u6d4b/\\ud83d\\ude00"'),
        ("slash", '"测\\/😀"'),
    ],
)
def test_styles_of_escaping(style, text):
    assert jsontext.dumps("测/😀", style) == text
    assert json.loads(text) == "测/😀"


@pytest.mark.parametrize("text", ["01", "1.", "+1", "NaN", "[1,]", "{}x", ""])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        jsontext.loads(text)


def test_members_give_exact_text_also_with_blanks():
    text = ' { "a" : [ 1.0 , "]" ] ,\n"b":"x\\"}" , "c":{"d" : 2} } '
    assert jsontext.members(text) == {"a": '[ 1.0 , "]" ]', "b": '"x\\"}"', "c": '{"d" : 2}'}
    assert jsontext.members('{"a":[1],"a":[2]}') == {"a": "[2]"}
    assert jsontext.members("{ }") == {}


def restored(value):
    """The JSON value of a parsed truth."""
    if isinstance(value, dict) and set(value) == {"n"}:
        return Raw(value["n"])
    if isinstance(value, dict) and set(value) == {"j"}:
        return jsontext.loads(value["j"])
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    return [restored(item) for item in value] if isinstance(value, list) else value


def typed(value):
    """Distinguishes the number 1 from the text "1"."""
    return ("n", str(value)) if isinstance(value, Raw) else value


def test_the_truth_is_what_the_bodies_say(documents, values):
    told = json.loads("".join(truth.parsed(documents)))["documents"]
    assert [entry["io_id"] for entry in told] == [str(document.io_id) for document in documents]
    for entry, fields in zip(told, values, strict=True):
        back = restored(entry["document"])
        assert back == fields
        assert [typed(value) for value in back.values()] == [typed(value) for value in fields.values()]
    assert truth.raw(documents).split(b"\n") == [document.body for document in documents] + [b""]


def test_the_truth_of_odd_fields_has_their_exact_text(documents):
    told = [truth.entry(document)["document"] for document in documents]
    exact = {entry["labels"]["j"] for entry in told if isinstance(entry.get("labels"), dict)}
    assert '["加急"]' in exact
    assert {"j": '{"items":[1.50,true,null],"io_id":"no"}'} in [entry.get("new_field") for entry in told]


# --- changes --------------------------------------------------------------------------------------


def fields_of(document):
    return jsontext.loads(document.body.decode())


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_is_stamped(small, kind):
    store, mutator = small
    highest = max(document.ts for document in store.all())
    change = mutator.change(kind)
    document = store.get(change.io_id)
    assert (document.modified, document.ts) == (NOW, change.ts)
    assert document.ts > highest
    assert fields_of(document)["modified"] == "2026-07-29 16:00:00"
    assert store.all()[-1] is document
    assert len(store.all()) == (61 if kind == "create" else 60)
    assert len(store.since(0)) == len(store.all())


@pytest.mark.parametrize(("kind", "lines"), [("lose_line", -1), ("gain_line", 1), ("modify", 0)])
def test_lines_come_and_go(small, kind, lines):
    store, mutator = small
    before = {document.io_id: document for document in store.all()}
    for _ in range(20):
        old_keys = {io_id: line_keys(document) for io_id, document in before.items()}
        change = mutator.change(kind)
        after = store.get(change.io_id)
        assert after.lines == before[change.io_id].lines + lines
        assert len(line_keys(after) ^ old_keys[change.io_id]) == abs(lines)
        assert after.body != before[change.io_id].body
        before[change.io_id] = after


def line_keys(document):
    return {int(line["ioi_id"]) for line in fields_of(document)["items"] or []}


@pytest.mark.parametrize(("kind", "status"), [("cancel", "Cancelled"), ("delete", "Delete")])
def test_documents_are_cancelled_and_deleted(small, kind, status):
    store, mutator = small
    document = store.get(mutator.change(kind).io_id)
    assert document.status == fields_of(document)["status"] == status


def test_a_change_keeps_what_it_does_not_concern(small):
    store, mutator = small
    old = fields_of(store.get(7000001))
    new = fields_of(store.get(mutator.change("cancel", io_id=7000001).io_id))
    changed = {name for name in old if typed(old[name]) != typed(new[name])}
    assert changed == {"status", "ts", "modified"}
    assert list(old) == list(new)


def test_a_change_hits_the_document_or_window_that_was_named(small):
    store, mutator = small
    assert mutator.change("modify", io_id=7000007).io_id == 7000007
    assert mutator.change("modify", io_id=1) is None
    oldest = store.all()[0]
    assert mutator.change("modify", window=(oldest.modified, oldest.modified)).io_id == oldest.io_id


def test_changes_are_deterministic():
    def run():
        store = filled(Plan(seed=9, documents=60, end=NOW - 120, max_lines=30))
        mutator = Mutator(store, Author(Plan(seed=9, documents=60, end=NOW - 120, max_lines=30)), HandClock())
        return [mutator.change() for _ in range(200)], truth.raw(store.all())

    first, second = run(), run()
    assert first == second
    assert {change.kind for change in first[0]} == set(KINDS)


def test_an_empty_store_has_nothing_to_change_but_can_grow():
    store = Store()
    mutator = Mutator(store, Author(Plan(documents=0)), HandClock())
    assert mutator.change("modify") is None
    assert mutator.change("create").io_id == 7000001
