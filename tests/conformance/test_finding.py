"""Where something was found, as it is shown and reported."""

from rigger.conformance.finding import ADVICE, FAIL, Finding


def test_a_place_has_a_line_where_one_is_known():
    assert Finding(FAIL, "is wrong", "create", 7).place == "create:7"
    assert Finding(FAIL, "is missing", "create").place == "create"
    assert Finding(FAIL, "processes stay behind").place == ""


def test_a_report_says_that_no_line_is_known():
    assert Finding(ADVICE, "is long", "create").as_dict() == {
        "level": "ADVICE",
        "text": "is long",
        "file": "create",
        "line": None,
    }
    assert Finding(ADVICE, "is long", "create", 3).as_dict()["line"] == 3
