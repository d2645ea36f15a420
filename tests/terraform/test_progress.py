"""How far an apply is, and what Terraform says of what went wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger.terraform.progress import Progress


class Heard(Progress):
    """What was said, by a progress that is told messages."""

    def __init__(self):
        self.lines = []
        super().__init__(self.lines.append)

    def message(self, **message):
        self.take(json.dumps({"@level": "info", **message}).encode())

    def tell(self, kind, address, action):
        about = {"resource": {"addr": address}, "action": action}
        key = "change" if kind == "planned_change" else "hook"
        self.message(**{"type": kind, "@message": f"{address} {action}", key: about})


def test_a_resource_that_is_replaced_counts_once():
    heard = Heard()
    heard.tell("planned_change", "a", "replace")
    heard.tell("planned_change", "b", "create")
    heard.tell("planned_change", "c", "noop")
    for address, action in (("a", "delete"), ("b", "create"), ("a", "create")):
        heard.tell("apply_complete", address, action)
    assert heard.lines == ["0 of 2: a delete", "1 of 2: b create", "2 of 2: a create"]


@given(
    st.lists(st.sampled_from(["create", "update", "delete", "replace", "noop", "read", "move"]), max_size=8)
)
def test_in_the_end_all_that_was_planned_is_done(actions):
    heard = Heard()
    for number, action in enumerate(actions):
        heard.tell("planned_change", f"r{number}", action)
    for number, action in enumerate(actions):
        for part in ("delete", "create") if action == "replace" else (action,):
            heard.tell("apply_complete", f"r{number}", part)
    changes = sum(action not in ("noop", "read", "move") for action in actions)
    assert (heard.done, heard.planned) == (changes, changes)


@pytest.mark.parametrize(
    "kind", ["apply_start", "apply_progress", "apply_errored", "provision_start", "provision_progress"]
)
def test_what_is_under_way_is_said_with_what_is_done(kind):
    heard = Heard()
    heard.message(**{"type": kind, "@message": "a: Creating..."})
    heard.tell("planned_change", "a", "create")
    heard.message(**{"type": kind, "@message": "a: Creating..."})
    assert heard.lines == ["a: Creating...", "0 of 1: a: Creating..."]


def test_what_nobody_wants_to_hear_is_not_said():
    heard = Heard()
    for kind in ("version", "refresh_start", "refresh_complete", "resource_drift", "outputs"):
        heard.message(**{"type": kind, "@message": "words"})
    assert heard.lines == [] and heard.said == ""
    heard.message(**{"type": "change_summary", "@message": "Apply complete! Resources: 1 added."})
    assert heard.lines == ["Apply complete! Resources: 1 added."]


def test_an_error_is_said_line_by_line_and_kept():
    heard = Heard()
    heard.message(
        **{
            "type": "diagnostic",
            "@level": "error",
            "@message": "Error: no room",
            "diagnostic": {
                "severity": "error",
                "address": "disk.a",
                "summary": "no room",
                "detail": "The account is full.\n\nAsk for more.\n",
            },
        }
    )
    heard.message(**{"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "old"}})
    assert heard.lines == [
        "error: disk.a: no room",
        "  The account is full.",
        "  Ask for more.",
        "warning: old",
    ]
    assert heard.said == "\n".join(heard.lines) + "\n"


def test_an_error_of_a_kind_that_is_not_known_is_said_too():
    heard = Heard()
    heard.message(**{"type": "new_in_2.0", "@level": "error", "@message": "it broke"})
    assert heard.lines == ["error: it broke"] and heard.said == "error: it broke\n"


@pytest.mark.parametrize("line", [b"a plain line", b'["a", "list"]', b"7", b"{half", b"caf\xe9"])
def test_a_line_that_is_no_message_is_said_as_it_is(line):
    heard = Heard()
    heard.take(line)
    assert heard.lines == [line.decode("utf-8", "replace")] and heard.said == ""
