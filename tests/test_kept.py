"""Values that are kept in a file: they come back as they were, or not at all."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger import kept
from rigger.kept import decoded, encoded, keep, recall
from rigger.modules.model import Limit, Module, Stage, Suite, Tool, Upgrade
from rigger.questions.model import Choice, Question

ROOMS = ("modules", "questions")
OF = {"manifest": "/a/rigger.yml", "size": 7}
SUITE = Suite("smoke", "a look", ("put", "get"))

TEXT = st.text(max_size=5) | st.sampled_from(["same", "dict", "tuple", "modules.model.Suite"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.one_of(
    st.builds(Suite, TEXT, TEXT, st.lists(TEXT, max_size=3).map(tuple)),
    st.builds(Stage, TEXT, TEXT, st.booleans()),
    st.builds(Limit, TEXT, st.none() | st.floats(allow_nan=False), st.sampled_from([0, 0.0, False, 1])),
    st.builds(Upgrade, TEXT, minors=st.none() | st.integers(), stages=st.tuples(st.builds(Stage, TEXT))),
    st.builds(Question, TEXT, TEXT, choices=st.lists(st.builds(Choice, TEXT), max_size=2).map(tuple)),
    st.builds(Module, TEXT, TEXT, TEXT, tools=st.tuples(st.builds(Tool, TEXT)), interfaces=st.dictionaries(st.integers(), TEXT)),
)  # fmt: skip
ANY = st.recursive(
    SCALARS | VALUES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(TEXT | st.integers(), inner, max_size=3)
        | st.frozensets(SCALARS, max_size=3)
    ),
    max_leaves=12,
)


def shown(value):
    """Return all that a value is, sets in order; two values are equal here where nobody can tell them apart."""
    if isinstance(value, (set, frozenset)):
        return [type(value).__name__, sorted(map(repr, value))]
    if isinstance(value, dict):
        return [(shown(name), shown(one)) for name, one in value.items()]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [*map(shown, value)]]
    own = vars(value) if type(value).__module__.startswith("rigger.") else {}
    return (
        [type(value).__name__, shown(own)]
        if own
        else [type(value).__name__, repr(value).partition(" object")[0]]
    )


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_what_is_kept_comes_back_as_it_was(value):
    again = decoded(json.loads(json.dumps(encoded(value, ROOMS))), ROOMS)
    assert shown(again) == shown(value)


def test_a_field_that_is_as_usual_is_not_written():
    assert json.dumps(encoded(Suite("smoke", "", ()), ROOMS)).count('"description"') == 1
    assert '"asked"' not in (text := json.dumps(encoded(Question("SIZE", "Size?"), ROOMS)))
    assert '"help"' not in text and '"min"' not in text and len(text) < 100


def test_what_is_long_and_the_same_stands_once():
    long = Suite("smoke", "x" * 500, ("put",))
    assert json.dumps(encoded([long, {"again": long}], ROOMS)).count("x" * 500) == 1


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "kept.json")
    keep(path, OF, SUITE, ROOMS)
    return path


def test_a_file_has_the_value_and_what_it_was_made_of(path):
    of, value = recall(path, ROOMS)
    assert value == SUITE and {name: of[name] for name in OF} == OF
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_another_value_takes_its_place(path):
    keep(path, {"manifest": "/b"}, {"a": [1]}, ROOMS)
    of, value = recall(path, ROOMS)
    assert (of["manifest"], value) == ("/b", {"a": [1]}) and os.listdir(os.path.dirname(path)) == [
        "kept.json"
    ]


def rewritten(path, change):
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(change(data))


def resealed(change):
    """Return what makes of a file one that somebody changed with care: its digest fits."""
    return lambda data: kept.sealed(change(data.partition(b"\n")[2]))


def with_value(text):
    """Return the content of a file with another value."""
    return lambda content: json.dumps([*json.loads(content)[:2], *json.loads(text)]).encode()


SPOILED = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-4],
    "longer": lambda data: data + b"x",
    "no text": lambda data: b"\xff" * 100,
    "one line": lambda data: data.split(b"\n")[0],
    "another value": lambda data: data.replace(b"smoke", b"smoki"),
    "of something else": lambda data: data.replace(b"/a/rigger.yml", b"/b/rigger.yml"),
    "of another rigger": resealed(lambda content: content.replace(kept.code(ROOMS).encode(), b"0" * 64)),
    "no JSON": resealed(lambda content: b"{"),
    "no text, but sealed": resealed(lambda content: b"\xff" * 100),
    "a list of something else": resealed(lambda content: b"[]"),
    "no value": resealed(with_value("[7, 7]")),
    "a field that the class has not": resealed(lambda content: content.replace(b'"tests"', b'"texts"')),
    "a class that there is not": resealed(with_value('[[], ["modules.model.Sweet", {}]]')),
    "a class of another room": resealed(with_value('[[], ["audit.fold.Fold", {}]]')),
    "a file that there is not": resealed(with_value('[[], ["modules.mould.Suite", {}]]')),
    "nested without end": resealed(lambda content: b"[" * 100_000 + b"]" * 100_000),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_file_is_as_good_as_none(path, how):
    rewritten(path, SPOILED[how])
    assert recall(path, ROOMS) is None
    keep(path, OF, SUITE, ROOMS)
    assert recall(path, ROOMS)[1] == SUITE


def test_a_file_that_was_changed_with_care_would_be_believed(path):
    """Or the tests above would say nothing."""
    rewritten(path, resealed(lambda content: content.replace(b"smoke", b"smoki")))
    assert recall(path, ROOMS)[1].name == "smoki"


def link_to(other):
    def change(path):
        os.rename(path, f"{path}.{other}")
        os.symlink(f"{path}.{other}", path)

    return change


def instead(make):
    def change(path):
        os.unlink(path)
        make(path)

    return change


NOT_OURS = {
    "the group may write it": lambda path: os.chmod(path, 0o620),
    "everybody may write it": lambda path: os.chmod(path, 0o602),
    "it is a link": link_to("real"),
    "it is a folder": instead(os.mkdir),
    "it is a pipe": instead(os.mkfifo),
    "it is gone": os.unlink,
}


@pytest.mark.parametrize("how", NOT_OURS)
def test_a_file_that_somebody_else_may_have_written_is_as_good_as_none(path, how):
    NOT_OURS[how](path)
    assert recall(path, ROOMS) is None


def test_a_file_of_another_user_is_as_good_as_none(path, monkeypatch):
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    assert recall(path, ROOMS) is None


def test_other_code_reads_nothing_of_it(path, monkeypatch):
    before = kept.code(ROOMS)
    kept.code.cache_clear()
    monkeypatch.setattr(kept, "__version__", "0.0.1")
    assert kept.code(ROOMS) != before and recall(path, ROOMS) is None
    kept.code.cache_clear()


def test_a_changed_file_of_its_code_makes_other_code(tmp_path, monkeypatch):
    for file in ("kept.py", "modules/model.py", "audit/log.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("pass\n")
    monkeypatch.setattr(kept, "PACKAGE", str(tmp_path))

    def now():
        kept.code.cache_clear()
        return kept.code(("modules",))

    known = {now()}
    (tmp_path / "audit/log.py").write_text("other\n")
    assert now() in known
    for file in ("modules/model.py", "kept.py"):
        (tmp_path / file).write_text(f"other {file}\n")
        assert now() not in known
        known.add(now())
    kept.code.cache_clear()


def test_what_cannot_be_kept_is_not(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    keep(str(folder), OF, SUITE, ROOMS)
    keep(str(tmp_path / "nowhere" / "kept.json"), OF, SUITE, ROOMS)
    keep(str(tmp_path / "other.json"), OF, object(), ROOMS)
    keep(str(tmp_path / "other.json"), OF, SUITE, ("audit",))
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    "kind", ["os.system", "audit.log.AuditLog", "modules.model.field", "modules.model.Nothing", "x", ""]
)
def test_nothing_but_values_of_the_rooms_come_back(kind):
    with pytest.raises((TypeError, KeyError, AttributeError, ValueError, ImportError)):
        decoded([[], [kind, {}]], ROOMS)


MANY = """
import sys
from rigger.kept import keep, recall
path, own = sys.argv[1:]
for turn in range(200):
    keep(path, {"of": own}, [own] * 1000, ("modules",))
    of, value = recall(path, ("modules",))
    assert value == [of["of"]] * 1000
"""


def test_several_at_once_each_read_what_one_of_them_wrote(tmp_path):
    argv = [sys.executable, "-c", MANY, str(tmp_path / "kept.json")]
    env = {**os.environ, "PYTHONPATH": ROOT}
    running = [subprocess.Popen([*argv, name], env=env, stderr=subprocess.PIPE) for name in "abc"]
    assert [(one.communicate()[1], one.returncode) for one in running] == [(b"", 0)] * 3
    assert os.listdir(tmp_path) == ["kept.json"]
