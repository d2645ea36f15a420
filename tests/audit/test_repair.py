"""A damaged audit log goes on with what can be proved, and says what is lost."""

import os

import pytest
from helpers.run_records import open_log

from rigger.audit.head import Head
from rigger.audit.lines import split

COUNT = 8


@pytest.fixture
def log(tmp_path):
    log = open_log(tmp_path / "audit.jsonl")
    for number in range(1, COUNT + 1):
        log.append("step-finished", "r", number=number)
    return log


def lines_of(log) -> list[bytes]:
    with open(log.path, "rb") as file:
        return split(file.read())


def damage(log, lines) -> bytes:
    content = b"".join(lines)
    with open(log.path, "wb") as file:
        file.write(content)
    return content


def repaired(log) -> tuple[list[int], list[str]]:
    """Repair the log; return the numbers that its records still tell, and what is said to be lost."""
    other = open_log(log.path)
    assert not other.verify().ok
    before = b"".join(lines_of(log)) if os.path.exists(log.path) else b""
    aside = other.repair()
    if before:
        with open(os.path.join(os.path.dirname(log.path), aside), "rb") as file:
            assert file.read() == before
    fresh = open_log(log.path)
    assert fresh.verify().ok
    records = fresh.records()
    [told] = [record for record in records if record["event"] == "repaired"]
    assert told.get("damaged_file", "") == aside
    assert fresh.append("next")["seq"] == len(records) + 1 and fresh.verify().ok
    return [record["number"] for record in records if "number" in record], told.get("lost", [])


def test_what_leads_to_the_head_is_recorded_again_after_the_gap(log):
    lines, records = lines_of(log), log.records()
    damage(log, [*lines[:2], lines[2].replace(b'"number":3', b'"number":9'), b"garbage\n", *lines[4:]])
    assert repaired(log) == ([1, 2, 5, 6, 7, 8], ["line 3 of the damaged file", "line 4 of the damaged file"])
    again = [record for record in open_log(log.path).records() if "kept_from" in record]
    assert [Head.parse(record["kept_from"]).hash for record in again] == [r["hash"] for r in records[4:]]
    assert [record["time"] for record in again] == [record["time"] for record in records[4:]]


def test_a_line_that_is_gone_is_counted(log):
    lines = lines_of(log)
    damage(log, lines[:3] + lines[5:])
    assert repaired(log) == ([1, 2, 3, 6, 7, 8], ["2 records before record 6"])


def test_what_was_cut_off_is_counted(log):
    damage(log, lines_of(log)[:5])
    assert repaired(log) == ([1, 2, 3, 4, 5], ["3 records are missing at the end: there were 8"])


def test_a_deleted_log_begins_anew_and_says_so(log):
    os.unlink(log.path)
    assert repaired(log) == ([], ["8 records are missing at the end: there were 8"])


def test_what_leads_to_no_head_is_not_proved(log):
    lines = lines_of(log)
    damage(log, [*lines[:2], b"garbage\n", *lines[3:6]])
    numbers, lost = repaired(log)
    assert numbers == [1, 2] and "line 4 of the damaged file" in lost and "6 records are missing" in lost[-1]


def test_without_a_head_the_last_line_stands_for_it(log):
    lines = lines_of(log)
    damage(log, [*lines[:2], b"garbage\n", *lines[3:], b'{"seq":9,"ti'])
    os.unlink(log.kept.path)
    lost = ["line 3 of the damaged file", "line 9 of the damaged file"]
    assert repaired(log) == ([1, 2, 4, 5, 6, 7, 8], lost)


def test_a_damaged_head_alone_loses_nothing(log):
    with open(log.kept.path, "w") as file:
        file.write("nonsense")
    assert repaired(log) == ([1, 2, 3, 4, 5, 6, 7, 8], [])


def test_what_two_writers_wrote_at_once_is_all_kept(log, tmp_path):
    """As it was when a first record was written without the lock: two records have one number."""
    lines = lines_of(log)
    other = open_log(tmp_path / "other.jsonl")
    with open(other.path, "wb") as file:
        file.write(lines[0])
    for number in (20, 30):
        other.append("step-finished", "r", number=number)
    damage(log, [*lines, *lines_of(other)[1:]])
    with open(log.kept.path, "w") as file:
        file.write(str(Head(*other.head())))
    assert repaired(log) == ([*range(1, COUNT + 1), 20, 30], [])


def test_a_repeated_line_is_dropped(log):
    lines = lines_of(log)
    damage(log, [lines[0], *lines])
    assert repaired(log) == ([1, 2, 3, 4, 5, 6, 7, 8], ["line 2 of the damaged file"])
