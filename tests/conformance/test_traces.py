"""Files that changed, and processes that go on."""

import os
import shutil
import subprocess

import pytest
from helpers.scripts import linux

from rigger.conformance import traces
from rigger.conformance.traces import differences, end_processes, names_in, snapshot
from rigger.environments.environment import Environment


def test_a_file_is_seen_below_any_folder_and_a_folder_alone_is_not(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    assert [*snapshot(str(tmp_path))] == ["a/b/file"]
    assert snapshot(str(tmp_path / "none")) == {}


def change_content(path):
    path.write_text("other")


def change_mode(path):
    path.chmod(0o700)


def change_time(path):
    os.utime(path, ns=(1, 1))


def replace_by_link(path):
    path.unlink()
    path.symlink_to("kept")


@pytest.mark.parametrize("change", [change_content, change_mode, change_time, replace_by_link, os.unlink])
def test_every_change_is_seen(tmp_path, change):
    for name in ("kept", "changed"):
        (tmp_path / name).write_text("four")
        (tmp_path / name).chmod(0o600)
    before = snapshot(str(tmp_path))
    assert differences(before, snapshot(str(tmp_path))) == []
    change(tmp_path / "changed")
    assert differences(before, snapshot(str(tmp_path))) == ["changed"]


def test_what_is_new_and_what_is_gone_are_named_in_order(tmp_path):
    (tmp_path / "b").write_text("")
    before = snapshot(str(tmp_path))
    (tmp_path / "b").unlink()
    (tmp_path / "c").write_text("")
    (tmp_path / "a").symlink_to("/nowhere")
    assert differences(before, snapshot(str(tmp_path))) == ["a", "b", "c"]


def test_what_python_and_git_keep_for_themselves_is_no_trace(tmp_path):
    for name in ("lib/__pycache__", ".git/objects"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text("x")
    assert snapshot(str(tmp_path)) == {}


def test_names_in_a_folder_that_cannot_be_read_are_none(tmp_path):
    (tmp_path / "a").write_text("")
    assert names_in(str(tmp_path)) == ["a"]
    assert names_in(str(tmp_path / "none")) == names_in("") == []


def test_the_real_home_is_the_systems(monkeypatch):
    monkeypatch.setenv("HOME", "/nowhere")
    assert traces.real_home() == os.path.expanduser(f"~{subprocess.getoutput('id -un')}")


@linux
def test_processes_that_know_a_folder_are_named_and_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(traces, "SETTLE", 0.1)
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    sandbox = str(tmp_path / "sandbox")
    shutil.copytree(strangers, sandbox)
    environ = {"PATH": os.environ["PATH"]}
    other = subprocess.Popen(["sleep", "300"], cwd=strangers, env=environ)
    works_there = subprocess.Popen(["sleep", "300"], cwd=sandbox, env=environ)
    got_it = subprocess.Popen(
        ["sleep", "300"], cwd=strangers, env={**environ, "RIGGER_HOME": f"{sandbox}/home"}
    )
    try:
        assert sorted(end_processes(sandbox)) == sorted(f"sleep ({p.pid})" for p in (works_there, got_it))
        assert (works_there.wait(5), got_it.wait(5)) == (-9, -9)
        assert other.poll() is None
        assert end_processes(sandbox) == []
    finally:
        for process in (other, works_there, got_it):
            process.kill()
            process.wait()


@linux
def test_a_process_that_is_just_ending_is_waited_for(tmp_path):
    process = subprocess.Popen(["sh", "-c", "sleep 0.2"], cwd=tmp_path)
    try:
        assert end_processes(str(tmp_path)) == []
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()


def test_what_tools_note_in_a_home_for_themselves_is_no_modules(tmp_path):
    own = tmp_path / "home" / ".rigger" / "environments" / "sandbox"
    for name in (".cache/pip/x", ".rustup/settings.toml", "farm/x", ".farm"):
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    home = str(tmp_path / "home")
    seen = traces.Traces(str(tmp_path), home, f"{home}/.rigger", str(own))
    assert sorted(seen.here(Environment("sandbox", str(own), f"{home}/.rigger"))) == [".farm", "farm/x"]


def test_what_a_persons_shell_notes_meanwhile_is_no_modules(tmp_path, monkeypatch):
    monkeypatch.setattr(traces, "real_home", lambda: str(tmp_path))
    seen = traces.Traces("/nowhere", "/nowhere", "/nowhere", "/nowhere")
    for name in (".bash_history", "farm"):
        (tmp_path / name).write_text("x")
    assert seen.new_in_real_home() == (str(tmp_path), ["farm"])
