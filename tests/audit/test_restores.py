"""A restore that did not finish."""

import pytest
from helpers.audit_events import PROVIDER, begun, ran, tell

from rigger.audit.restores import RestoreHistory

STARTED = ("restore-started", {"file": "/f"})
STEP = {"command": "restore"}


def test_from_its_step_on_until_that_was_done():
    assert tell(RestoreHistory(), STARTED, ran("setup-clients", **STEP)).pending == "", "nothing was replaced"
    assert tell(RestoreHistory(), STARTED, begun("restore", **STEP)).pending == "/f"
    assert tell(RestoreHistory(), STARTED, ran("restore", exit_code=3, **STEP)).pending == "/f"
    assert tell(RestoreHistory(), STARTED, ran("restore", **STEP), ran("check", exit_code=1)).pending == ""


@pytest.mark.parametrize(
    "end",
    [
        ("restored", {"file": "/f"}),
        ("destroyed", {"nodes": []}),
        ("suspended", {"backup": ""}),
        ("resumed", {}),
        begun("undeploy", command="destroy"),
        [STARTED, *ran("restore", **STEP)],
    ],
)
def test_what_ends_it(end):
    assert tell(RestoreHistory(), STARTED, begun("restore", **STEP), end).pending == ""


def test_a_restore_of_a_resume_is_none_of_its_own():
    resume = begun("resume", PROVIDER, command="resume"), begun("restore", command="resume")
    assert tell(RestoreHistory(), *resume).pending == ""
