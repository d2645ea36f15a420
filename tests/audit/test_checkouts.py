"""What the platform's repository was brought to."""

from helpers.audit_events import tell

from rigger.audit.checkouts import CheckoutHistory


def checked_out(before, commit, folder="/home/a/environments/wood/checkout", **fields):
    return "checked-out", {"folder": folder, "version": "1", "before": before, "commit": commit, **fields}


def upgrade(rollback=False):
    return "upgrade-started", {"from": "1", "to": "2", "style": "graceful", "rollback": rollback}


def test_the_last_one_in_a_folder_of_that_name_also_after_a_move():
    history = tell(CheckoutHistory(), checked_out("", "a"), checked_out("a", "b", "/mine"))
    assert history.last.commit == "b"
    assert history.last_in("/elsewhere/environments/wood/checkout").commit == "a"
    assert history.last_in("/other") is None


def test_the_last_one_of_a_tag():
    tags = [("a", "refs/tags/1"), ("b", "refs/tags/2"), ("c", "refs/tags/1")]
    history = tell(CheckoutHistory(), *(checked_out("", commit, tag=tag) for commit, tag in tags))
    assert history.last_of("refs/tags/1").commit == "c" and history.last_of("refs/tags/2").commit == "b"
    assert history.last_of("refs/tags/3") is None


def test_nothing_was_checked_out_yet():
    history = CheckoutHistory()
    assert (history.last, history.last_in("/x"), history.before_upgrade) == (None, None, "")


def test_the_commit_from_which_an_upgrade_left_is_kept_on_the_way_back():
    history = tell(CheckoutHistory(), checked_out("", "a"))
    assert history.before_upgrade == ""
    assert tell(history, upgrade(), checked_out("a", "b")).before_upgrade == "a"
    assert tell(history, upgrade(rollback=True), checked_out("b", "a")).before_upgrade == "a"
    assert tell(history, upgrade()).before_upgrade == "", "that one has checked nothing out yet"
