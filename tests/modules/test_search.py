"""Where modules are looked for, and a list of all that are there."""

import os
import shutil

import pytest

from rigger.errors import BadUsage
from rigger.modules import search

HEAD = "interface: 2\nname: soil\nrole: provider\n"

# Where modules are looked for


def test_a_module_of_the_users_own_hides_one_of_rigger(modules, rigger):
    modules.write("provider", "noop", "description: mine")
    rigger("configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", "noop")
    plan = rigger("provision", "--plan", "-o", "json").out
    assert os.path.join(modules.folder, "providers", "noop", "create") in plan


def test_the_first_folder_of_the_path_wins_and_the_home_comes_before_rigger(tmp_path, monkeypatch):
    def write(place, text):
        folder = tmp_path / place / "soil"
        folder.mkdir(parents=True)
        (folder / "rigger.yml").write_text(HEAD + f"description: {text}\n")

    write("one", "one")
    write("two", "two")
    write("home/providers", "home")
    home = str(tmp_path / "home")
    assert search.find("provider", "soil", home).description == "home"
    monkeypatch.setenv("RIGGER_PROVIDER_PATH", f"{tmp_path}/none:{tmp_path}/one::{tmp_path}/two")
    assert search.find("provider", "soil", home).description == "one"
    assert search.find("provider", "local", home).name == "local"


def test_a_provider_given_as_a_folder(modules, rigger, tmp_path):
    folder = modules.write("provider", "soil")
    elsewhere = str(tmp_path / "elsewhere")
    os.rename(folder, elsewhere)
    rigger("configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", "./elsewhere")
    assert rigger("config", "get", "PROVIDER").out == f"{elsewhere}\n"
    rigger("provision")
    refused = rigger(
        "configure", "--defaults", "--name", "b", "--platform", "noop", "--provider", "./nowhere", code=2
    )
    assert "nowhere: it has no rigger.yml" in refused.err


def test_a_module_of_the_other_role(modules, rigger):
    modules.write("provider", "soil", "")
    os.rename(os.path.join(modules.folder, "providers"), os.path.join(modules.folder, "platforms"))
    refused = rigger(
        "configure", "--defaults", "--name", "a", "--platform", "soil", "--provider", "noop", code=9
    )
    assert "soil is a provider, not a platform" in refused.err


def test_an_unknown_one_lists_the_known(rigger, modules):
    modules.write("provider", "soil")
    refused = rigger(
        "configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", "soul", code=2
    )
    assert "'soul'" in refused.err and "did you mean soil?" in refused.err and "local" in refused.err
    for name in ("../soil", "soil/../soil", ".", "so il"):
        assert rigger(
            "configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", name, code=2
        ).err


def test_a_broken_foreign_manifest_does_not_stop_others(rigger, modules):
    for name, content in {
        "bad": b"interface: 2\nnmae: bad\n",
        "worse": b"\xff",
        "huge": b"x" * (2 << 20),
    }.items():
        folder = modules.write("provider", name)
        with open(os.path.join(folder, "rigger.yml"), "wb") as file:
            file.write(content)
    os.mkdir(os.path.join(modules.folder, "providers", "empty"))
    rigger("configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", "noop")
    rigger("provision")
    for command in ("list", "status", "doctor"):
        rigger(command)
    refused = rigger(
        "configure", "--defaults", "--name", "b", "--platform", "noop", "--provider", "bad", code=9
    )
    assert "bad/rigger.yml, line 2: nmae: there is no such field (did you mean name?)" in refused.err


def test_names_with_a_slash_need_a_manifest(tmp_path):
    with pytest.raises(BadUsage):
        search.find("provider", str(tmp_path), str(tmp_path))


# Everything that is there, for a list


def test_all_modules_are_found_with_their_places_and_their_problems(rigger, modules, tmp_path, monkeypatch):
    monkeypatch.setenv("RIGGER_PROVIDER_PATH", rigger.env["RIGGER_PROVIDER_PATH"])
    checkout, home = tmp_path / "checkout", tmp_path / "home"
    inside = modules.write("provider", "soil", "description: first\n")
    shutil.copytree(inside, checkout / "contrib" / "soil")
    shutil.copytree(inside, home / "providers" / "soil")
    broken = modules.write("provider", "mud", "no-such-field: 1\n")
    sleepy = modules.write("provider", "sand")
    os.chmod(os.path.join(sleepy, "destroy"), 0o644)
    old = checkout / "contrib" / "rock"
    old.mkdir()
    (old / "create.sh").write_text("echo made\n")
    (old / "destroy.sh").write_text("echo gone\n")
    os.makedirs(checkout / "contrib" / "rigger")
    (checkout / "contrib" / "rigger" / "rigger.yml").write_text("interface: 2\nname: oak\nrole: platform\n")
    rows = search.list_modules("provider", str(home), str(checkout))
    places = [(row.name, row.place, row.interface, row.shadowed) for row in rows]
    assert places[:2] == [("soil", "checkout", 2, False), ("rock", "checkout", 1, False)]
    assert ("soil", "$RIGGER_PROVIDER_PATH", 2, True) in places and (
        "soil",
        "~/.rigger/providers",
        2,
        True,
    ) in places
    assert ("local", "rigger itself", 2, False) in places
    problems = {row.name: row.problem for row in rows if row.problem}
    assert "no-such-field" in problems["mud"] and broken in problems["mud"]
    assert (
        "destroy is not executable" in problems["sand"] and "soil" not in problems and "oak" not in problems
    )
    (own,) = [
        row for row in search.list_modules("platform", str(home), str(checkout)) if row.place == "checkout"
    ]
    assert (own.name, own.folder) == ("oak", str(checkout / "contrib" / "rigger"))
    assert search.find("provider", "soil", str(home), str(checkout)).folder == str(
        checkout / "contrib" / "soil"
    )
    assert search.find("provider", "rock", str(home), str(checkout)).interface == 1


def test_the_first_place_of_a_repository_has_its_platform(tmp_path):
    for place in ("contrib/rigger", ".rigger", "rigger", "."):
        folder = tmp_path / "checkout" / place
        folder.mkdir(parents=True, exist_ok=True)
        name = place.replace("/", "-").strip(".") or "root"
        (folder / "rigger.yml").write_text(f"interface: 2\nname: {name}\nrole: platform\n")
        (own,) = search.in_checkout("platform", str(tmp_path), str(tmp_path / "checkout"))
        assert own.name == name


def test_a_module_outside_of_a_repository_is_not_in_it(tmp_path, modules):
    folder = modules.write("provider", "soil")
    os.makedirs(tmp_path / "checkout" / "contrib")
    os.symlink(folder, tmp_path / "checkout" / "contrib" / "soil")
    assert search.in_checkout("provider", str(tmp_path), str(tmp_path / "checkout")) == []


def test_an_addon_that_is_not_known_names_those_that_are_and_the_places(rigger, modules):
    modules.write("provider", "soil")
    rigger("configure", "--defaults", "--name", "a", "--platform", "noop", "--provider", "soil")
    said = rigger("module", "add", "cache", code=2).err
    assert "Known: monitoring, node-exporter, proxy. Others are found in $RIGGER_ADDON_PATH and" in said
