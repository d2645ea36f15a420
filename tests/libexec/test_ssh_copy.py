"""Copies to and from nodes."""

import os
import stat
import threading

import pytest
from helpers.machines import only_with_namespaces


def tree(folder):
    """Return the files of a folder: name, mode, content or where a link leads."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = os.path.join(place, name)
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            content = ""
            if os.path.islink(path):
                mode, content = 0, os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, folder)] = (mode, content)
    return found


@pytest.fixture
def luggage(tmp_path):
    folder = tmp_path / "lug gage"
    (folder / "deep" / "-er").mkdir(parents=True)
    (folder / "deep" / "-er" / "new\nline 'quoted'").write_bytes(bytes(range(256)))
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o750)
    (folder / "empty").mkdir(mode=0o700)
    (folder / "link").symlink_to("run")
    return folder


@pytest.mark.slow
def test_a_folder_there_and_back_is_the_same(nodes, luggage, tmp_path):
    with nodes.run():
        nodes.copy(luggage, "node-1:there")
        nodes.copy("node-1:there", tmp_path / "back")
        assert tree(tmp_path / "back") == tree(luggage)
        (tmp_path / "into").mkdir()
        nodes.copy("node-1:there/", "node-1:there/run", tmp_path / "into")
        assert sorted(os.listdir(tmp_path / "into")) == ["run", "there"]
        nodes.copy(luggage, "node-1:there")  # a folder that exists: inside
        assert b"lug gage" in nodes("node-1", "ls", "there").stdout
        nodes("node-1", "rm", "-r", "there")


@pytest.mark.slow
def test_a_file_gets_its_name_its_mode_and_replaces_another(nodes, luggage, tmp_path):
    with nodes.run():
        nodes("node-2", "sh", "-c", "mkdir bin; echo old >bin/run")
        nodes.copy(luggage / "run", luggage / "deep" / "-er" / "new\nline 'quoted'", "node-2:bin")
        assert (
            nodes("node-2", "sh", "-c", "cat bin/run; ls -la bin | grep -c rigger-copy", code=1).stdout
            == b"#!/bin/sh\n0\n"
        )
        nodes.copy("node-2:bin/new\nline 'quoted'", tmp_path / "it's here")
        assert (tmp_path / "it's here").read_bytes() == bytes(range(256))
        nodes.copy("node-2:bin/run", tmp_path / "run")
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o750
        nodes("node-2", "rm", "-r", "bin")


def test_a_copy_that_cannot_be_is_one_sentence_and_leaves_nothing(nodes, luggage, tmp_path):
    before = sorted(os.listdir(tmp_path))
    with nodes.run():
        assert "there is no ./nothing here" in nodes.copy("node-1:nothing", tmp_path / "x", code=1).stderr
        assert "there is no nothing" in nodes.copy("nothing", "node-1:x", code=1).stderr
        assert "there is no node 'node-9'" in nodes.copy(luggage, "node-9:x", code=2).stderr
        assert (
            "there is no folder"
            in nodes.copy("node-1:/etc/passwd", tmp_path / "no" / "where/", code=1).stderr
        )
        assert "there is no folder ./no/" in nodes.copy(luggage, "node-1:no/", code=1).stderr
        assert "write NODE:PATH" in nodes.copy(luggage, tmp_path / "x", code=2).stderr
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.slow
def test_a_copy_is_tried_again_when_the_connection_is_lost(nodes, machines, luggage, tmp_path):
    machines.cut(1)
    threading.Timer(3, machines.restore, [1]).start()
    said = nodes.copy(luggage / "run", "node-1:run")
    assert "trying again in 1 s" in said.stderr
    assert nodes("node-1", "sh", "-c", "cat run; rm run").stdout == b"#!/bin/sh\n"
    machines.cut(1)
    said = nodes.copy("--retry", "0", "node-1:run", tmp_path / "run", code=254)
    assert "cannot be reached" in said.stderr and "tar" not in said.stderr


HOSTILE = """#!/bin/sh
d=$(mktemp -d); cd $d
mkdir base; echo evil >evil; echo good >base/good
ln -s /tmp base/out
chmod 4755 base/good
exec /bin/tar -cPf - --transform 's,^evil,{evil},' evil base/good base/out "$d/evil" ./base evil
"""


@pytest.mark.slow
@only_with_namespaces
@pytest.mark.parametrize("evil", ["../../escaped", "/tmp/rigger-escaped", "base/out/rigger-escaped", "other"])
def test_a_node_cannot_write_elsewhere(nodes, machines, tmp_path, evil):
    machines.write(1, "/usr/local/bin/tar", HOSTILE.replace("{evil}", evil), mode=0o755)
    machines.run(1, "mkdir", "-p", "base")
    (tmp_path / "into").mkdir()
    try:
        nodes.copy("node-1:base", tmp_path / "into" / "base", code=None)
    finally:
        machines.run(1, "rm", "/usr/local/bin/tar")
    assert not os.path.exists("/tmp/rigger-escaped")
    assert not [n for n in os.listdir(tmp_path) if "escaped" in n]
    assert set(os.listdir(tmp_path / "into")) <= {"base"}
    if os.path.exists(tmp_path / "into" / "base" / "good"):
        assert not (tmp_path / "into" / "base" / "good").stat().st_mode & 0o6000
