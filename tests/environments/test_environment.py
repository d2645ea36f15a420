"""One environment: a small face on its store, its lock, its shell and its backups."""

import inspect
import os

from rigger.environments.environment import Environment
from rigger.environments.home import Home
from rigger.environments.store import FolderStore


class Remembered(FolderStore):
    """A store that keeps its values elsewhere than in files."""

    def __init__(self, path):
        super().__init__(path)
        self.kept = ({}, {})

    def vars(self):
        return dict(self.kept[0])

    def secrets(self):
        return dict(self.kept[1])

    def write(self, vars, secrets):
        self.kept = dict(vars), dict(secrets)


def test_values_lie_where_the_store_says(tmp_path):
    environment = Environment("demo", str(tmp_path / "demo"), str(tmp_path), store=Remembered(str(tmp_path)))
    environment.save({"NODES": "3"}, {"TOKEN": "secret"})
    assert environment.vars() == {"NODES": "3"} and environment.secrets() == {"TOKEN": "secret"}
    assert environment.store.vars()["PATH"].startswith(environment.bin_dir)
    assert os.listdir(tmp_path) == []


def test_no_class_that_everything_is_hung_on():
    environment = Environment("demo", "/nowhere/demo", "/nowhere")
    for thing in (environment, environment.store, environment.lock, environment.shell, environment.backups):
        methods = [name for name, _ in inspect.getmembers(type(thing), callable) if not name.startswith("_")]
        assert len(methods) <= 12, f"{type(thing).__name__}: {methods}"


def test_backups_have_names_of_their_own(tmp_path):
    backups = Home(str(tmp_path)).create("demo", {}, {}).backups
    assert backups.last() == "" and backups.bundles() == []
    first = backups.new()
    open(first, "w").close()
    second = backups.new()
    assert first != second and not os.path.exists(second)
    os.utime(first, (1000, 1000))
    assert backups.last() == first
    assert backups.last(until=999) == ""
