"""The front end's copy of a freezing panel's state: what changed is taken in, and requests go one at a
time."""

import json

import pytest

from tests.js.node import node
from tests.js.state_types import WIDGETS
from tlwidgets.widgets.base.esm import bundle, load

ENTRY = (
    'import { createFreezeStore, rowsById } from "../freeze/store.js";\n'
    "export default { createFreezeStore, rowsById };\n"
)
MODEL = """
import all from "./store.mjs";
const row = (id, more = {}) => ({ id, state: "frozen", label: id, children: [], ...more });
const frame = (more) => ({ revision: 0, message: { kind: "", text: "" }, ...more });
const first = { seq: 4, rows: [row("a"), row("b")], code: "lines", ...frame() };
const sent = [];
const listeners = new Set();
const receive = (message) => listeners.forEach((listener) => listener(message));
const model = {
  get: () => first,
  send: (message) => sent.push(message),
  on: (_, listener) => listeners.add(listener),
  off: (_, listener) => listeners.delete(listener),
};
const store = all.createFreezeStore(model);
let told = 0;
store.listeners.add(() => { told += 1; });
let seq = 4;
const delta = (more) =>
  receive({ type: "delta", seq: (seq += 1), rows: [], opened: [], frame: frame(), ...more });
const ids = () => [...all.rowsById(store.state.rows).keys()];
const say = (...values) => console.log(JSON.stringify(values));
"""


def read(path: str) -> str:
    return ENTRY if path == "test/main.js" else (WIDGETS / path).read_text(encoding="utf-8")


@pytest.fixture
def script(tmp_path):
    """`script(text)`: what a script says, line by line, that has a store and plays Python's part."""

    def run(text: str) -> list:
        store = bundle(load("test/main.js", read))
        (tmp_path / "store.mjs").write_text(store, encoding="utf-8")
        (tmp_path / "main.mjs").write_text(MODEL + text + "\nstore.close();\n", encoding="utf-8")
        return [json.loads(line) for line in node("main.mjs", cwd=tmp_path).splitlines()]

    return run


def test_a_second_click_waits_for_the_answer_to_the_first_and_has_its_revision(script):
    first, waiting, second, done = script("""
store.ask({ type: "toggle", id: "a" });
store.ask({ type: "toggle", id: "b" });
say(sent.length, sent[0]);
delta({ frame: frame({ revision: 6 }), answered: ["of another page"] });
say(sent.length);
delta({ frame: frame({ revision: 7 }), answered: [sent[0].tag] });
say(sent.length, sent[1]);
delta({ frame: frame({ revision: 8 }), answered: [sent[1].tag] });
say(sent.length, sent[0].tag !== sent[1].tag, store.late);
""")
    assert first[0] == 1 and {"type": "toggle", "id": "a", "revision": 0}.items() <= first[1].items()
    assert waiting == [1]
    assert second[0] == 2 and {"type": "toggle", "id": "b", "revision": 7}.items() <= second[1].items()
    assert done == [2, True, False]


def test_changed_fields_and_opened_rows_are_taken_in(script):
    rows, nested, told = script("""
delta({ rows: [{ id: "a", state: "trained" }], opened: [{ id: "b", children: [row("b.0"), row("b.1")] }] });
say(store.state.rows.map((each) => [each.label, each.state]), ids());
delta({ opened: [{ id: "b.1", children: [row("b.1.x")] }], rows: [{ id: "b.0", state: "trained" }] });
say(ids(), store.state.rows[1].children[0].state);
say(told, sent.length);
""")
    assert rows == [[["a", "trained"], ["b", "frozen"]], ["a", "b", "b.0", "b.1"]]
    assert nested == [["a", "b", "b.0", "b.1", "b.1.x"], "trained"]
    assert told == [2, 0]


def test_code_is_out_of_date_after_a_change_until_it_is_sent_again(script):
    assert script("""
delta({});
say(store.state.code);
delta({ frame: frame({ revision: 1 }) });
say(store.state.code);
delta({ frame: frame({ revision: 1 }), code: "new lines" });
say(store.state.code);
""") == [["lines"], [""], ["new lines"]]


def test_where_rows_are_missing_the_whole_state_is_asked_for(script):
    for part in ('rows: [{ id: "c", state: "trained" }]', 'opened: [{ id: "c", children: [] }]'):
        ((unchanged, asked),) = script(f"""
delta({{ {part}, frame: frame({{ revision: 1 }}) }});
say(store.state.revision, sent.map((each) => each.type));
""")
        assert (unchanged, asked) == (0, ["hello"])


def test_a_panel_that_is_gone_ends_the_wait(script):
    ((gone, waiting, sent),) = script("""
store.ask({ type: "undo" });
receive({ type: "gone", seq: null });
store.ask({ type: "redo" });
say(store.gone, store.late, sent.map((each) => each.type));
""")
    assert (gone, waiting, sent) == (True, False, ["undo", "redo"])
