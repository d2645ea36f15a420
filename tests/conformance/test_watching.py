"""A script that is watched: does it print a secret, and does it die in the middle?"""

import subprocess
import threading
import time

import pytest
from helpers.scripts import linux, wait_until
from hypothesis import given
from hypothesis import strategies as st

from rigger.conformance.watching import Watching, killing
from rigger.process import capture
from rigger.redact import Redactor

SECRET = "swordfish-4711"


def watched(*blocks: bytes) -> tuple[Watching, bytes]:
    """Return what was noticed of a stream, and what was shown of it."""
    watching = Watching(Redactor([SECRET]))
    stream = watching.stream()
    return watching, b"".join(stream.feed(block) for block in blocks) + stream.finish()


@pytest.mark.parametrize("blocks", [[b"it is swordfish-4711.\n"], [b"it is sword", b"fish-", b"4711.\n"]])
def test_a_secret_is_masked_and_noticed(blocks):
    watching, shown = watched(*blocks)
    assert watching.masked and shown == b"it is ***.\n"


@given(st.lists(st.binary(max_size=30)))
def test_other_output_is_passed_on_and_not_taken_for_a_secret(blocks):
    watching, shown = watched(*blocks)
    assert shown == b"".join(blocks) and not watching.masked


def test_stars_that_a_script_prints_itself_are_no_secret():
    watching, shown = watched(b"the key is ***\n")
    assert not watching.masked and shown == b"the key is ***\n"


def test_one_stream_of_several_is_enough():
    watching = Watching(Redactor([SECRET]))
    quiet, telling = watching.stream(), watching.stream()
    for stream, block in ((quiet, b"nothing\n"), (telling, SECRET.encode() + b"\n")):
        stream.feed(block)
        stream.finish()
    assert watching.masked


def test_a_secret_that_is_learned_on_the_way_is_known_to_both():
    redactor = Redactor()
    watching = Watching(redactor)
    watching.add(SECRET)
    assert redactor.bytes(SECRET.encode()) == watching.bytes(SECRET.encode()) == b"***"
    assert not watching.masked, "what rigger masks itself is not a script's doing"


# Killing


@linux
def test_all_that_was_started_meanwhile_is_killed():
    before = subprocess.Popen(["sleep", "300"])
    try:
        began = time.monotonic()
        with killing(0.2):
            said = capture.capture(["sh", "-c", "sleep 301 & sleep 302"], timeout=30)
        assert said.exit_code in (-9, 137) and time.monotonic() - began < 20
        assert before.poll() is None
    finally:
        before.kill()
        before.wait()


@pytest.mark.parametrize("after", [None, 60.0])
def test_what_ends_before_is_left_alone_and_nothing_is_waited_for(after):
    threads = threading.active_count()
    began = time.monotonic()
    with killing(after):
        assert capture.capture(["true"]).exit_code == 0
    assert time.monotonic() - began < 20
    assert wait_until(lambda: threading.active_count() == threads)


def test_an_error_ends_the_watch_as_well():
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError), killing(60.0):
        1 / 0  # noqa: B018
    assert threading.active_count() == threads
