"""The audit log under tampering, crashes and full disks."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap

import pytest
from helpers.run_records import open_log

from rigger.audit import log as audit_log
from rigger.audit import tail
from rigger.audit.head import FIRST
from rigger.audit.lines import TAIL, record_of, split
from rigger.audit.log import AuditLog
from rigger.errors import InvalidConfig, NotReady

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "audit.jsonl")


def content_of(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def write_records(path: str, count: int) -> AuditLog:
    log = open_log(path)
    for number in range(count):
        log.append("step-finished", run="20261120T214400-provision", step=number, exit_code=number % 3)
    return log


def torn_files(path: str) -> list[str]:
    folder = os.path.dirname(path)
    return sorted(name for name in os.listdir(folder) if ".torn-" in name)


def test_any_record_is_found_without_reading_the_others(path, monkeypatch):
    log = open_log(path)
    hashes = [log.append("grown", leaf="y" * (number * 37 % 900))["hash"] for number in range(200)]
    assert [log.hash_of(number) for number in range(1, 201)] == hashes
    assert [log.hash_of(number) for number in (-1, 0, 201)] == ["", "", ""]
    read = []
    monkeypatch.setattr(tail, "record_of", lambda line: read.append(line) or record_of(line))
    log.hash_of(77)
    assert len(read) < 30
    write(path, content_of(path).replace(hashes[76].encode(), b"0" * 64, 1))
    assert log.hash_of(77) == "" and AuditLog(f"{path}.gone").hash_of(1) == ""


# ---- the format ------------------------------------------------------------------------------------------


def test_a_record_is_a_line_with_its_members_in_order(path):
    record = open_log(path).append("step-started", run="20261120T214400-provision", module="local", step=2)
    line = content_of(path).decode("ascii")
    assert list(json.loads(line)) == ["seq", "time", "run", "event", "module", "step", "prev", "hash"]
    assert json.loads(line) == record
    assert (record["seq"], record["prev"]) == (1, "0" * 64)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
    assert line.count("\n") == 1
    assert line.endswith("\n")


def test_the_file_is_its_owners_alone(path):
    open_log(path).append("begun")
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_the_recipe_in_the_docstring_verifies_a_log(path):
    write_records(path, 5)
    recipe = textwrap.dedent(audit_log.__doc__[audit_log.__doc__.index("    previous =") :])
    program = "import hashlib, json\n" + recipe + '\nprint("good")\n'
    folder = os.path.dirname(path)

    def verify() -> str:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout.decode()

    assert verify() == "good\n"
    write(path, content_of(path).replace(b'"step":3', b'"step":4'))
    assert verify() == ""


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
def test_a_shell_can_verify_a_line(path):
    record = open_log(path).append("begun", city="Zürich")
    script = 'line=$(cat "$1"); printf "%s}" "${line%,\\"hash\\":*}" | sha256sum'
    done = subprocess.run(["sh", "-c", script, "sh", path], capture_output=True, check=True)
    assert done.stdout.decode().split()[0] == record["hash"]


HOSTILE = ["line\nbreak", "\r\x85\u2028", "\udcff\udc80", "\0", "𝄞", '"}', ',"hash":"']


@pytest.mark.parametrize("value", HOSTILE)
def test_any_value_is_kept(path, value):
    log = open_log(path)
    log.append("first", value=value)
    log.append("second", value={"deep": [value]})
    assert [record["value"] for record in open_log(path).records()] == [value, {"deep": [value]}]
    assert log.verify() == audit_log.Verdict(2, log.records()[-1]["hash"], [])


def test_a_field_cannot_pass_for_a_member_of_its_own(path):
    with pytest.raises(ValueError, match="hash"):
        open_log(path).append("begun", hash="0" * 64)
    assert not os.path.exists(path)


# ---- appending -------------------------------------------------------------------------------------------


def test_without_the_lock_nothing_is_added(path):
    for log in (AuditLog(path), AuditLog(path, lambda: False)):
        with pytest.raises(ValueError, match="without the environment's lock"):
            log.append("begun")
    assert not os.path.exists(path)


def test_no_log_is_an_empty_log(path):
    log = open_log(path)
    assert (log.records(), log.head(), log.verify()) == ([], (0, FIRST), audit_log.Verdict(0, FIRST, []))


def test_two_writers_in_turn_stay_chained(path):
    first, second = open_log(path), open_log(path)
    for turn in range(6):
        (second if turn % 2 else first).append("turn", turn=turn)
    assert [record["turn"] for record in first.records()] == list(range(6))
    assert first.verify().ok
    assert first.head() == second.head() == (6, first.records()[-1]["hash"])


def test_a_long_line_is_followed_by_the_next_record(path):
    open_log(path).append("begun", text="x" * 300_000)
    open_log(path).append("begun", text="y" * 300_000)
    open_log(path).append("done")
    assert open_log(path).verify().ok
    assert open_log(path).head()[0] == 3


@pytest.mark.slow
def test_appending_reads_the_tail_alone(path, monkeypatch):
    write_records(path, 600)
    sizes = []
    pread = os.pread

    def spy(fd, size, offset):
        sizes.append(size)
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", spy)
    log = open_log(path)
    log.append("first")
    assert 0 < sum(sizes) <= tail.BLOCK < os.path.getsize(path)
    sizes.clear()
    log.append("second")
    assert sizes == []
    assert log.verify().ok


def test_a_record_is_on_the_disk_before_append_returns(path, monkeypatch):
    synced = []
    fsync = os.fsync

    def spy(fd):
        fsync(fd)
        name = os.readlink(f"/proc/self/fd/{fd}")
        synced.append((name, content_of(name) if os.path.isfile(name) else b""))

    monkeypatch.setattr(os, "fsync", spy)
    open_log(path).append("begun")
    folder = os.path.dirname(path)
    names = [name for name, _ in synced]
    # The log's name has to last as well; the room of its head is there before, the head itself after.
    assert [name for name in names if not name.endswith(".tmp")] == [folder, path, folder]
    assert names[1].endswith(".tmp") and (path, content_of(path)) in synced
    synced.clear()
    open_log(path).append("done")
    assert (path, content_of(path)) in synced


# ---- tampering -------------------------------------------------------------------------------------------

COUNT = 30


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The content of a sound log of thirty records, and its head."""
    path = str(tmp_path_factory.mktemp("sound") / "audit.jsonl")
    log = write_records(path, COUNT)
    assert log.verify() == audit_log.Verdict(COUNT, log.head()[1], [])
    return content_of(path), log.head()


@pytest.fixture
def verdict(path, monkeypatch):
    """A function that verifies content as if a file held it: there are thousands to verify."""

    def verify(content: bytes, head=None) -> audit_log.Verdict:
        monkeypatch.setattr(AuditLog, "_lines", lambda self: split(content))
        return open_log(path).verify(head)

    return verify


@pytest.mark.slow
def test_every_changed_byte_is_noticed(sound, verdict):
    content, _ = sound
    for position, byte in enumerate(content):
        for other in {byte ^ 1, byte ^ 0x20, ord("\n"), ord("0"), 0} - {byte}:
            if (position * 7 + other) % 5 == 0 or other == byte ^ 1:  # all positions, some of the values
                changed = content[:position] + bytes([other]) + content[position + 1 :]
                assert not verdict(changed).ok, (position, other)


@pytest.mark.slow
def test_every_added_or_removed_byte_is_noticed(sound, verdict):
    content, _ = sound
    for position in range(len(content)):
        assert not verdict(content[:position] + content[position + 1 :]).ok, position
        assert not verdict(content[:position] + b" " + content[position:]).ok, position


@pytest.mark.slow
def test_every_truncation_is_noticed(sound, verdict):
    content, head = sound
    for size in range(len(content)):
        cut = verdict(content[:size], head)
        assert not cut.ok, size
        at_a_border = size == 0 or content[size - 1 : size] == b"\n"
        assert verdict(content[:size]).ok == at_a_border  # which is why the head is kept elsewhere


def test_lines_removed_swapped_or_repeated_are_noticed(sound, verdict):
    content, head = sound
    lines = split(content)
    for number in range(COUNT):
        removed = lines[:number] + lines[number + 1 :]
        assert not verdict(b"".join(removed), head).ok
        assert verdict(b"".join(removed)).ok == (number == COUNT - 1)
        for place in range(COUNT + 1):
            repeated = lines[:place] + [lines[number]] + lines[place:]
            assert not verdict(b"".join(repeated)).ok
        for other in range(number):
            swapped = list(lines)
            swapped[number], swapped[other] = lines[other], lines[number]
            assert not verdict(b"".join(swapped)).ok


def test_a_log_that_grew_still_contains_its_head(sound, path):
    content, head = sound
    write(path, content)
    open_log(path).append("more")
    assert open_log(path).verify(head) == audit_log.Verdict(COUNT + 1, open_log(path).head()[1], [])


def test_a_forged_chain_does_not_contain_the_head(path, sound):
    _, head = sound
    forged = write_records(path, COUNT)
    assert forged.verify().ok
    assert forged.verify(head).problems == [f"record {COUNT} is not the one whose hash was noted elsewhere"]


def test_problems_name_their_line(sound, path):
    content, head = sound
    lines = split(content)
    write(path, b"".join(lines[:4] + [lines[4].replace(b'"step":4', b'"step":5')] + lines[5:]))
    assert open_log(path).verify().problems == ["line 5 is not what was written: its hash is wrong"]
    write(path, b"".join(lines[:4] + lines[5:6]))
    assert open_log(path).verify(head).problems == [
        "line 5 holds record 6",
        "line 5 does not follow the line before it",
        "25 records are missing at the end: there were 30",
    ]
    deep = b"[" * 100_000 + lines[4][-TAIL - 1 :]
    write(path, b"".join([*lines[:4], deep, *lines[5:]]))
    assert "line 5 is not a whole record" in open_log(path).verify().problems


def test_a_damaged_log_is_not_read_as_if_it_were_whole(path):
    write_records(path, 3)
    lines = split(content_of(path))
    write(path, lines[0] + b"garbage\n" + lines[2])
    with pytest.raises(InvalidConfig, match="is damaged: line 2 is not what rigger wrote"):
        open_log(path).records()
    write(path, lines[0] + b"garbage\n" + b"garbage\n")
    with pytest.raises(InvalidConfig, match="is damaged: the end"):
        open_log(path).append("more")
    assert content_of(path) == lines[0] + b"garbage\n" + b"garbage\n"


# ---- crashes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [0, 1, 3])
@pytest.mark.parametrize(
    "torn",
    [b"{", b'{"seq":4,"time":"2026', b"\0" * 4096, b"garbage\n", b"x" * 200_000, b'\0\0\0","hash":"00"}\n'],
    ids=["brace", "half", "zeros", "garbage", "long", "start-lost"],
)
def test_what_a_crash_left_is_set_aside_and_recorded(path, whole, torn):
    write_records(path, whole)
    before = content_of(path) if whole else b""
    write(path, before + torn)
    log = open_log(path)
    assert len(log.records()) == whole
    assert log.head()[0] == whole
    assert not log.verify().ok

    log.append("next", run="R2")

    repaired, after = log.records()[whole:]
    assert (repaired["event"], repaired["run"], after["event"]) == ("repaired", "R2", "next")
    assert torn_files(path) == [repaired["torn_file"]]
    assert repaired["torn_file"].startswith("audit.jsonl.torn-")
    aside = content_of(os.path.join(os.path.dirname(path), repaired["torn_file"]))
    assert aside == torn
    assert (repaired["torn_size"], repaired["torn_sha256"]) == (len(torn), hashlib.sha256(torn).hexdigest())
    assert content_of(path).startswith(before)
    assert log.verify().ok


def test_the_record_before_a_torn_line_may_be_long(path):
    open_log(path).append("begun", text="x" * 2 * tail.BLOCK)
    with open(path, "ab") as file:
        file.write(b"garbage\n")
    assert open_log(path).append("next")["seq"] == 3  # after the repair
    assert open_log(path).verify().ok


def test_two_crashes_within_a_second_are_both_kept(path):
    for torn in (b"one", b"two", b"three"):
        with open(path, "ab") as file:
            file.write(torn)
        open_log(path).append("next")
    folder = os.path.dirname(path)
    kept = {content_of(os.path.join(folder, name)) for name in torn_files(path)}
    assert kept == {b"one", b"two", b"three"}
    assert open_log(path).verify().ok


def test_a_record_that_lacks_its_newline_is_set_aside_too(path):
    """Its append had not returned, so what it announces was not started."""
    write_records(path, 2)
    write(path, content_of(path)[:-1])
    os.unlink(path.replace(".jsonl", ".head"))
    open_log(path).append("next")
    assert [record["event"] for record in open_log(path).records()] == ["step-finished", "repaired", "next"]


def test_a_writer_that_is_killed_at_any_moment_loses_no_record(path):
    program = """
        import sys
        from rigger.audit.log import AuditLog
        log = AuditLog(sys.argv[1], lambda: True)
        while True:
            print(log.append("tick", text="x" * 3000)["seq"], flush=True)
    """
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), path],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": ROOT},
        )
        for _ in range(10):
            promised = int(writer.stdout.readline())
        writer.kill()
        promised = int((writer.communicate()[0].split() or [promised])[-1])
        assert len(open_log(path).records()) >= promised
        assert [text for text in open_log(path).verify().problems if "not a whole record" not in text] == []
    open_log(path).append("end")
    assert open_log(path).verify().ok


# ---- the head beside it ----------------------------------------------------------------------------------


def head_of(path: str) -> str:
    with open(path.replace(".jsonl", ".head")) as file:
        return file.read()


def cut(path: str, count: int) -> None:
    write(path, b"".join(split(content_of(path))[:count]))


def test_the_head_is_kept_beside_the_log(path):
    log = write_records(path, 3)
    assert head_of(path) == f"3:{log.records()[-1]['hash']}\n"
    assert os.stat(path.replace(".jsonl", ".head")).st_mode & 0o777 == 0o600
    assert sorted(os.listdir(os.path.dirname(path))) == ["audit.head", "audit.jsonl"]


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_log_that_was_cut_is_neither_read_nor_added_to(path, left):
    write_records(path, 3)
    cut(path, left)
    missing = f"{('3 records are', '2 records are', '1 record is')[left]} missing at the end: there were 3"
    assert open_log(path).verify().problems == [missing]
    with pytest.raises(InvalidConfig, match=missing):
        open_log(path).records()
    with pytest.raises(InvalidConfig, match=missing):
        open_log(path).append("next")


def test_a_log_that_was_deleted_is_not_begun_anew(path):
    log = write_records(path, 3)
    os.unlink(path)
    for each in (log, open_log(path)):
        with pytest.raises(InvalidConfig, match="3 records are missing at the end: there were 3"):
            each.append("next")
    assert not os.path.exists(path)


def test_a_log_is_missed_where_something_tells_that_there_was_one(path):
    log = AuditLog(path, lambda: True, lambda: "machines (node-1)")
    for content in (None, b"", b'{"seq":1'):
        if content is not None:
            write(path, content)
        with pytest.raises(
            InvalidConfig, match=r"there are machines \(node-1\)|line 1 is not a whole record"
        ):
            log.append("next")
        assert "there is no record, although there are machines (node-1)" in log.verify().problems


def test_a_log_that_was_written_anew_does_not_end_in_its_head(path, tmp_path):
    write_records(path, 3)
    other = str(tmp_path / "other.jsonl")
    write_records(other, 4)
    write(path, content_of(other))
    problems = open_log(path).verify().problems
    assert problems == ["record 3 is not the one whose hash was kept beside it"]
    with pytest.raises(InvalidConfig, match=problems[0]):
        open_log(path).append("next")


def test_records_that_were_added_by_something_else_are_noticed(path):
    write_records(path, 2)
    before = head_of(path)
    write_records(path, 2)
    write(path.replace(".jsonl", ".head"), before.encode())
    assert open_log(path).verify().problems == ["2 records were added without keeping the head"]
    with pytest.raises(InvalidConfig, match="2 records were added"):
        open_log(path).append("next")


@pytest.mark.parametrize("content", [b"", b"3", b"x:y", b"-1:" + b"0" * 64, b"\xff" * 300])
def test_a_head_that_rigger_did_not_write_is_named(path, content):
    write_records(path, 3)
    write(path.replace(".jsonl", ".head"), content)
    [problem] = open_log(path).verify().problems
    assert "audit.head is not what rigger wrote" in problem
    with pytest.raises(InvalidConfig, match=r"audit\.head is not what rigger wrote"):
        open_log(path).append("next")


def test_a_log_of_an_older_rigger_gets_a_head_with_its_next_record(path):
    write_records(path, 3)
    os.unlink(path.replace(".jsonl", ".head"))
    assert open_log(path).verify().ok
    open_log(path).append("next")
    assert head_of(path).startswith("4:")


def test_crashes_between_a_record_and_its_head_leave_it_one_behind_and_no_more(path):
    write_records(path, 3)
    program = """
        import os, sys
        from rigger.audit.log import AuditLog
        replace, calls = os.replace, []
        def dying(*arguments):
            calls.append(arguments)
            if len(calls) == int(sys.argv[2]):
                os._exit(9)
            return replace(*arguments)
        os.replace = dying
        AuditLog(sys.argv[1], lambda: True).append("tick")
    """
    # The first of them dies before it keeps its head; the others bring the head up, and die before they keep theirs.
    for number, count in ((1, 4), (2, 5), (2, 6)):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), path, str(number)],
            env={**os.environ, "PYTHONPATH": ROOT},
        )
        assert done.returncode == 9
        assert head_of(path).startswith(f"{count - 1}:") and open_log(path).head()[0] == count
        assert open_log(path).verify().ok
    assert open_log(path).append("next")["seq"] == 7
    assert head_of(path).startswith("7:")


def test_no_room_for_the_head_is_no_room_for_the_record(path, monkeypatch):
    write_records(path, 3)
    before, head = content_of(path), head_of(path)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    opened = os.open
    failing = {
        "open": lambda path, *rest: fail() if path.endswith(".tmp") else opened(path, *rest),
        "replace": fail,
    }
    for name, function in failing.items():
        with monkeypatch.context() as patched:
            patched.setattr(os, name, function)
            appending_fails(path, "No space left on device")
        assert (content_of(path), head_of(path)) == (before, head)
    assert sorted(os.listdir(os.path.dirname(path))) == ["audit.head", "audit.jsonl"]


# ---- disks that fail -------------------------------------------------------------------------------------


def appending_fails(path: str, reason: str) -> None:
    with pytest.raises(NotReady) as caught:
        open_log(path).append("step-started")
    assert path in caught.value.message
    assert reason in caught.value.message
    assert "was not started" in caught.value.message
    assert caught.value.next_step


def test_a_full_disk_takes_the_half_written_line_back(path):
    """The limit on a file's size stands for a full disk: the kernel writes what fits, then refuses."""
    write_records(path, 3)
    before = content_of(path)
    program = f"""
        import resource, signal
        from rigger.audit.log import AuditLog
        from rigger.errors import NotReady
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 100}, {len(before) + 100}))
        try:
            AuditLog({path!r}, lambda: True).append("step-started", text="x" * 1000)
        except NotReady as error:
            print(error.message)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert f"{path} cannot be written (File too large)" in done.stdout
    assert "was not started" in done.stdout
    assert content_of(path) == before
    open_log(path).append("next")
    assert open_log(path).verify().ok


def test_a_failing_fsync_takes_the_line_back(path, monkeypatch):
    write_records(path, 3)
    before = content_of(path)

    def fail(fd):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        appending_fails(path, "Input/output error")
    assert content_of(path) == before
    assert open_log(path).append("next")["seq"] == 4


def test_an_interrupted_append_takes_the_line_back(path, monkeypatch):
    log = write_records(path, 3)
    before = content_of(path)

    def interrupt(fd):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            log.append("step-started")
    assert content_of(path) == before
    assert log.append("next")["seq"] == 4
    assert log.verify().ok


def test_a_torn_line_stays_where_it_is_when_it_cannot_be_set_aside(path, monkeypatch):
    write_records(path, 2)
    torn = content_of(path) + b'{"seq":3'
    write(path, torn)

    def fail(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit_log, "_new_file", fail)
    appending_fails(path, "No space left on device")
    assert content_of(path) == torn


def test_a_folder_that_is_missing_or_in_the_way(path):
    appending_fails(os.path.join(path, "missing", "audit.jsonl"), "No such file or directory")
    os.mkdir(path)
    appending_fails(path, "Is a directory")
    with pytest.raises(InvalidConfig, match="cannot be read: Is a directory"):
        open_log(path).records()
    with pytest.raises(InvalidConfig, match="cannot be read: Is a directory"):
        open_log(path).head()
