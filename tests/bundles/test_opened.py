"""A bundle that lies unpacked: what it holds, and how it becomes an environment."""

import base64
import os

import pytest
from helpers.environments_to_save import TOKEN
from hypothesis import given
from hypothesis import strategies as st

from rigger.bundles import agreement
from rigger.bundles.opened import repoint
from rigger.envfile import file as envfile
from rigger.environments.home import Home
from rigger.errors import BadUsage, Refused
from rigger.sha256 import digest_of_file

OLD, NEW = "/home/a/environments/wood", "/srv/b/environments/wood"


@pytest.mark.parametrize(
    ("value", "here"),
    [
        (OLD, NEW),
        (f"{OLD}/key", f"{NEW}/key"),
        (f"a:{OLD}:{OLD}/bin", f"a:{NEW}:{NEW}/bin"),
        (f'-i "{OLD}" {OLD}', f'-i "{NEW}" {NEW}'),
        (f"{OLD}2", f"{OLD}2"),
        (f"{OLD}.old/key", f"{OLD}.old/key"),
        (f"/mnt{OLD}", f"/mnt{OLD}"),
        (f"x-{OLD}", f"x-{OLD}"),
        ("", ""),
    ],
)
def test_a_folder_moves_wherever_its_path_stands_whole(value, here):
    assert repoint(value, OLD, NEW) == here


@given(st.text(), st.text())
def test_a_value_that_does_not_name_the_folder_stays(value, new):
    if OLD not in value:
        assert repoint(value, OLD, new) == value
    assert repoint(value, "", new) == repoint(value, new, new) == value


def test_values_hold_for_the_target_and_computed_ones_are_left_out(wood, tmp_path):
    target = Home(str(tmp_path / "elsewhere")).at("pine")
    with wood.opened(tmp_path) as bundle:
        assert bundle.raw_vars()["KEY_FILE"] == f"{wood.state}/key"
        assert bundle.vars(target)["KEY_FILE"] == target.file("modules", "soil", "key")
        assert "PATH" not in bundle.vars(target) and "TOKEN" not in bundle.vars(target)
        assert bundle.encrypted is None and not bundle.unpack_checkout()
    with wood.opened(tmp_path, encrypt=lambda data: b"sealed") as bundle:
        assert bundle.encrypted == b"sealed"


def test_the_modules_that_came_along(wood, tmp_path):
    with wood.opened(tmp_path) as bundle:
        folder = bundle.scripts("provider")
        assert folder == bundle.file("scripts", "provider", "soil")
        hashes = {name: digest for digest, name in bundle.script_hashes("provider")}
        assert hashes["provider/soil/create"] == digest_of_file(
            os.path.join(wood.config.provider.folder, "create")
        )
        assert [*hashes] == sorted(hashes)
        os.unlink(os.path.join(folder, "rigger.yml"))
        os.unlink(os.path.join(bundle.scripts("platform"), "rigger.yml"))
        assert bundle.scripts("platform") is None


def test_programs_among_the_state_are_named_unless_they_are_here_already(wood, tmp_path):
    path = wood.write("modules/soil/tool", "#!/bin/sh\n", 0o700)
    with wood.opened(tmp_path) as bundle:
        elsewhere = agreement.programs(bundle, Home(str(tmp_path / "elsewhere")).at("wood"))
        assert elsewhere == [(digest_of_file(path), "modules/soil/tool")]
        assert agreement.programs(bundle, wood.environment) == []
        wood.write("modules/soil/tool", "#!/bin/sh\nother\n", 0o700)
        assert agreement.programs(bundle, wood.environment) == elsewhere


# The encrypted part


def sealed(content=b"x", mode=0o600):
    return {"mode": mode, "data": base64.b64encode(content).decode()}


def test_files_of_the_encrypted_part_get_their_places(wood, tmp_path):
    with wood.opened(tmp_path) as bundle:
        bundle.add({"modules/soil/deep/tool": sealed(b"run", 0o700), "modules/soil/open": sealed(mode=0o666)})
        with open(bundle.file("modules/soil/deep/tool"), "rb") as file:
            assert file.read() == b"run"
        modes = [os.stat(bundle.file("modules/soil", name)).st_mode & 0o777 for name in ("deep/tool", "open")]
        assert modes == [0o700, 0o600]


@pytest.mark.parametrize("name", ["lock", "../x", "modules/soil/../../x", "/etc/x", "key", "modules"])
def test_files_that_do_not_belong_there_are_refused(wood, tmp_path, name):
    with wood.opened(tmp_path) as bundle:
        with pytest.raises(Refused, match="that does not belong there"):
            bundle.add({name: sealed()})


@pytest.mark.parametrize("name", ["modules/soil/key", "modules/soil/key/more", "modules/soil"])
def test_files_in_the_way_of_others_are_refused(wood, tmp_path, name):
    with wood.opened(tmp_path) as bundle:
        with pytest.raises(Refused, match="in the way of another file"):
            bundle.add({name: sealed()})
        with open(bundle.file("modules", "soil", "key")) as file:
            assert file.read() == "no secret of rigger's\n"


# Into its place


def put(bundle, target, update=False, record=lambda aside: None):
    bundle.put_in_place(target, bundle.vars(target), {"TOKEN": TOKEN}, record, update)


def test_a_new_environment_stands_there_with_its_paths(wood, tmp_path):
    home = Home(str(tmp_path / "elsewhere"))
    target, recorded = home.at("pine"), []
    with wood.opened(tmp_path, home, encrypt=lambda data: b"sealed") as bundle:
        put(bundle, target, record=lambda aside: recorded.append((aside.name, target.exists())))
    assert recorded == [("pine", False)], "what is recorded is there before anybody sees it"
    assert home.names() == ["pine"] and target.secrets() == {"TOKEN": TOKEN}
    assert target.vars()["KEY_FILE"] == target.file("modules", "soil", "key")
    assert envfile.read(target.file("vars"))["PATH"] == target.bin_dir
    assert target.nodes()[0].ssh == {"key": target.file("modules", "soil", "key")}
    assert not os.path.exists(target.file("secrets.age"))


def test_a_place_that_is_taken_meanwhile_is_left_alone(wood, tmp_path):
    home = Home(str(tmp_path / "elsewhere"))
    home.create("wood", {"A": "1"}, {})
    with wood.opened(tmp_path, home) as bundle, pytest.raises(BadUsage) as problem:
        put(bundle, home.at("wood"))
    assert problem.value.message == f"{home.at('wood').path} is there already."
    assert "--name NAME" in problem.value.next_step
    assert home.at("wood").vars()["A"] == "1"


def test_an_update_keeps_what_belongs_to_the_machine_and_what_was_left_out(wood, tmp_path):
    wood.write("modules/soil/config", f"token = {TOKEN}\n")
    wood.write("backups/1.backup", "data")
    wood.write("modules/soil/gone", "only here\n")
    key = wood.environment.key()
    with wood.opened(tmp_path, wood.home) as bundle:
        os.unlink(bundle.file("modules", "soil", "gone"))
        put(bundle, wood.environment, update=True)
    here = wood.home.at("wood")
    assert here.key() == key
    with open(here.file("modules", "soil", "config")) as file:
        assert file.read() == f"token = {TOKEN}\n"
    assert os.path.exists(here.file("backups", "1.backup"))
    assert not os.path.exists(here.file("modules", "soil", "gone"))
    assert [name for name in os.listdir(wood.home.environments_dir)] == ["wood"]
