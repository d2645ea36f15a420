"""rigger repository, and what is added, searched and upgraded from one."""

import json
import os
import shutil

import pytest
from helpers.addons import Machines
from helpers.module_repositories import Shelf
from helpers.web import served

KIND = "description: A {0}\nlabels: {{kind: {0}}}\n"


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def machines(rigger, modules):
    machines = Machines(rigger, modules)
    rigger("provision")
    return machines


def listed(rigger):
    report = json.loads(rigger("repository", "list", "-o", "json").out)
    return {one["name"]: one for one in report["repositories"]}


def test_add_list_update_and_remove(rigger, shelf):
    shelf.write("cache", "1.0", KIND.format("cache"))
    assert "rigger module search" in rigger("repository", "add", shelf.folder).out
    one = listed(rigger)["shelf"]
    assert (one["kind"], one["url"]) == ("folder", shelf.folder)
    assert one["modules"] == [
        {"name": "cache", "description": "A cache", "versions": ["1.0"], "latest": "1.0"}
    ]
    assert "is there already, as shelf" in rigger("repository", "add", shelf.folder, code=2).err
    shelf.write("cache", "1.1", KIND.format("cache"))
    assert "cache@1.1 is new." in rigger("repository", "update").out
    assert "did you mean shelf?" in rigger("repository", "update", "shelv", code=2).err
    assert "did you mean shelf?" in rigger("repository", "remove", "shelv", code=2).err
    rigger("repository", "remove", "shelf")
    assert listed(rigger) == {}


def test_the_sources_that_there_are(rigger, shelf, tmp_path):
    shelf.write("cache", "1.0")
    commit = shelf.commit()
    with served(tmp_path) as url:
        rigger("repository", "add", f"{url}/shelf/v1.yaml", "--as", "web")
        rigger("repository", "add", f"{url}/to/{url}/shelf/v1.yaml", "--as", "led")
    rigger("repository", "add", "./shelf/v1.yaml", "--as", "file")
    rigger("repository", "add", f"file://{shelf.folder}", "--as", "git")
    kinds = {name: one["kind"] for name, one in listed(rigger).items()}
    assert kinds == {"web": "web", "led": "web", "file": "file", "git": "git"}
    assert listed(rigger)["git"]["commit"] == commit


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("version: v2\nkind: Repository\ncomponents: []\n", "line 1: version: is v2, and this rigger reads v1; a later"),
        ("version: v1\nkind: Shop\ncomponents: []\n", "line 2: kind: is 'Shop', not Repository"),
        ("version: v1\ncomponents: []\n", "the field 'kind' is missing"),
        ("version: v1\nkind: Repository\ncomponents: [", "line 4: did not find"),
        ("\0\1\2", "is not YAML"),
        ("[]", "must be a map"),
        ("", "is empty"),
        ("version: v1\nkind: Repository\ncomponents:\n- {name: a, versons: []}\n", "did you mean versions?"),
        ("version: v1\nkind: Repository\ncomponents:\n- {name: a, versions: []}\n", "a has no version"),
        ("version: v1\nkind: Repository\ncomponents:\n- {name: a, versions: [{version: 1}]}\n", "one of image, folder"),
        (
            "version: v1\nkind: Repository\ncomponents:\n- {name: a, versions: [{version: 1, folder: ../b}]}\n",
            "a relative path without ..",
        ),
        (
            "version: v1\nkind: Repository\ncomponents:\n- {name: a, versions: [{version: 1, git: 'https://x/y'}]}\n",
            "needs git and commit together",
        ),
        (
            "version: v1\nkind: Repository\ncomponents:\n- name: a\n  versions: [{version: 1, folder: b}]\n- name: a\n"
            "  versions: [{version: 1, folder: b}]\n",
            "a is there twice",
        ),
        ("#" * (9 << 20), "is larger than"),
    ],
)  # fmt: skip
def test_an_index_that_is_none(rigger, tmp_path, index, said):
    (tmp_path / "v1.yaml").write_text(index)
    assert said in rigger("repository", "add", "./v1.yaml", code=9).err
    assert listed(rigger) == {}


def test_places_that_are_none(rigger, shelf, tmp_path):
    os.makedirs(tmp_path / "empty")
    assert "has no v1.yaml, and is no git repository" in rigger("repository", "add", "empty", code=2).err
    assert "There is no folder" in rigger("repository", "add", "nothing", code=2).err
    assert "Use https://" in rigger("repository", "add", "http://192.0.2.1/v1.yaml", code=2).err
    with served(tmp_path) as url:
        assert "answered 404" in rigger("repository", "add", f"{url}/no.yaml", code=4).err
        assert (
            "another place" in rigger("repository", "add", f"{url}/to/http://192.0.2.1/v1.yaml", code=9).err
        )
        assert "broke off after 12 bytes" in rigger("repository", "add", f"{url}/cut.yaml", code=4).err
        assert "is larger than" in rigger("repository", "add", f"{url}/endless.yaml", code=9).err
    assert listed(rigger) == {}


def test_two_repositories_of_one_name(rigger, shelf, tmp_path):
    shelf.write("cache", "1.0")
    shutil.copytree(shelf.folder, tmp_path / "other" / "shelf")
    rigger("repository", "add", "shelf")
    refused = rigger("repository", "add", "other/shelf", code=2).err
    assert "There is a repository shelf already, from" in refused
    assert "rigger repository add other/shelf --as NAME" in refused
    rigger("repository", "add", "other/shelf", "--as", "second")
    assert {*listed(rigger)} == {"shelf", "second"}


def test_the_last_update_is_used_where_the_next_one_fails(machines, shelf, tmp_path):
    shelf.write("cache", "1.0", KIND.format("cache"))
    rigger = machines.rigger
    with served(tmp_path) as url:
        rigger("repository", "add", f"{url}/shelf/v1.yaml", "--as", "web")
        rigger("repository", "add", "shelf")
    failed = rigger("repository", "update", code=4)
    assert (
        "web could not be updated; the last update is used." in failed.err
        and "Connection refused" in failed.err
    )
    assert "rigger repository update web" in failed.err
    shelf.write("store", "1.0")
    assert "store@1.0 is new." in rigger("repository", "update", code=4).out  # the other one was updated
    shutil.rmtree(shelf.folder)
    said = rigger("module", "search", "kind=cache").out
    assert "rigger module add cache --from shelf" in said and "shelf is shown as it was on 20" in said


def test_a_module_of_a_repository_lives_in_the_environment(machines, shelf):
    rigger = machines.rigger
    shelf.write("cache", "1.0", KIND.format("cache") + "questions: [{name: SIZE, default: 1}]\n", upgrade="")
    rigger("repository", "add", "shelf")
    refused = rigger("module", "add", "cache", code=2)
    assert "the digest of its files is sha256:" in refused.out + refused.err and "add --trust" in refused.err
    assert "MODULES" not in machines.vars() and not machines.exists("scripts", "addon", "cache")
    assert "cache 1.0 is added" in rigger("module", "add", "cache", "--trust").out
    place = machines.path("scripts", "addon", "cache")
    assert f'MODULES="cache={place}"' in machines.vars()
    (added,) = machines.records("module-added")
    assert added["repository"] == "shelf"
    assert f"sha256:{added['sha256']}" == shelf.entries["cache"]["1.0"]["digest"]
    rigger("provision", "cache")
    shutil.rmtree(shelf.folder)
    rigger("module", "add", "cache", "--set", "SIZE=2")  # all that it needs is here
    assert 'CACHE_SIZE="2"' in machines.vars()
    rigger("module", "remove", "cache", "-y")
    assert not os.path.exists(place)


def test_a_copy_that_was_changed_does_not_run_and_is_brought_again(machines, shelf):
    rigger = machines.rigger
    shelf.write("cache", "1.0")
    rigger("repository", "add", "shelf")
    rigger("module", "add", "cache", "--trust")
    with open(machines.path("scripts", "addon", "cache", "apply"), "a") as file:
        file.write("true\n")
    refused = rigger("provision", "cache", code=2).err
    assert "are not the ones that somebody agreed to" in refused and "rigger module add cache" in refused
    rigger("module", "add", "cache")
    rigger("provision", "cache")
    with open(machines.path("scripts", "addon", "cache", "apply"), "a") as file:
        file.write("true\n")
    shelf.write("cache", "1.0", apply="echo another\n")
    rigger("repository", "update")
    assert "has other files of cache 1.0 now" in rigger("module", "add", "cache", code=9).err


def test_files_that_are_not_those_of_the_index(machines, shelf):
    rigger = machines.rigger
    folder = shelf.write("cache", "1.0")
    undigested = shelf.write("store", "1.0", digested=False)
    rigger("repository", "add", "shelf")
    for changed in (folder, undigested):
        with open(os.path.join(changed, "apply"), "a") as file:
            file.write("true\n")
    refused = rigger("module", "add", "cache", "--trust", code=9).err
    assert "cache@1.0 of shelf has another digest than its index says" in refused
    refused = rigger("module", "add", "store", "--trust", code=9).err
    assert "it had at the update of" in refused and "rigger repository update shelf" in refused
    assert "MODULES" not in machines.vars()
    said = rigger("repository", "update").out
    assert "store@1.0 has other files than before" in said
    rigger("module", "add", "store", "--trust")


def test_a_repository_that_replaced_what_was_added(machines, shelf):
    rigger = machines.rigger
    shelf.write("cache", "1.0")
    rigger("repository", "add", "shelf")
    rigger("module", "add", "cache", "--trust")
    shelf.write("cache", "1.0", apply="echo another\n")
    said = rigger("repository", "update")
    assert "bare has cache@1.0 with the old files" in said.out + said.err
    said = rigger("module", "add", "cache")
    assert "which stay" in said.out + said.err
    assert "another" not in rigger("provision", "cache", "-v").out


def test_links_that_lead_out_of_a_module(machines, shelf):
    folder = shelf.write("cache", "1.0", digested=False)
    os.symlink("/etc/passwd", os.path.join(folder, "data"))
    machines.rigger("repository", "add", "shelf")
    assert "leads out of it" in machines.rigger("module", "add", "cache", "--trust", code=9).err


def test_versions_and_names(machines, shelf, tmp_path):
    rigger = machines.rigger
    for version in ("1.9", "1.10"):
        shelf.write("cache", version)
    rigger("repository", "add", "shelf")
    assert "did you mean cache?" in rigger("module", "add", "cachee", code=2).err
    refused = rigger("module", "info", "cache", code=2).err
    assert (
        "cache 1.10 of the repository shelf is not here yet" in refused
        and "rigger module add cache" in refused
    )
    refused = rigger("module", "add", "cache@1.1", code=2).err
    assert "There is no cache of version 1.1" in refused and "There is: 1.9, 1.10." in refused
    other = Shelf(tmp_path / "other")
    other.write("cache", "2.0")
    rigger("repository", "add", "other")
    refused = rigger("module", "add", "cache", code=2).err
    assert "shelf, other each have cache." in refused and "rigger module add cache --from other" in refused
    assert "did you mean shelf?" in rigger("module", "add", "cache", "--from", "shelff", code=2).err
    assert "cache 2.0 is added" in rigger("module", "add", "cache@2.0", "--trust").out
    assert (
        "cache 1.10 is added"
        in rigger("module", "add", "cache", "--from", "shelf", "--as", "old", "--trust").out
    )
    refused = rigger("module", "add", "cache@1.9", code=2).err
    assert "cache is there already, in version 2.0." in refused and "rigger upgrade cache --to 1.9" in refused


@pytest.mark.slow
def test_an_upgrade_brings_the_version_that_is_asked_for(machines, shelf):
    rigger = machines.rigger
    scripts = {"upgrade": 'echo "from $RIGGER_FROM_VERSION"\n[ ! -e "$RIGGER_HOME/broken" ]\n', "check": ""}
    for version in ("1.0", "1.1", "2.0"):
        shelf.write("cache", version, **scripts)
    rigger("repository", "add", "shelf")
    rigger("module", "add", "cache@1.0", "--trust")
    rigger("provision", "cache")
    open(rigger.path("broken"), "w").close()
    rigger("upgrade", "cache", "--to", "1.1", "--trust", code=5)
    assert machines.state()["modules"]["cache"]["version"] == "1.0"  # its files are those of before again
    os.unlink(rigger.path("broken"))
    assert "add --trust" in rigger("upgrade", "cache", "--to", "2.0", code=2).err
    assert "cache runs 1.1." in rigger("upgrade", "cache", "--to", "1.1", "--trust").out
    assert "cache runs 2.0." in rigger("upgrade", "cache", "--trust").out
    assert "is of version 2.0 already" in rigger("upgrade", "cache", code=2).err
    assert "There is no cache of version 3.0" in rigger("upgrade", "cache", "--to", "3.0", code=2).err
    rigger("provision")
    assert machines.status()["cache"] == "applied"


def test_a_label_name_is_for_people_and_the_module_keeps_its_own(machines, shelf):
    rigger = machines.rigger
    for version in ("1.0", "1.1", "2.0"):
        shelf.write("kafka", version, "labels: {name: Kafka}\n", upgrade="", check="")
    rigger("repository", "add", "shelf")
    said = json.loads(rigger("module", "add", "kafka@1.0", "--as", "broker", "--trust", "-o", "json").out)
    assert said["module"] == "kafka"
    rigger("provision", "broker")
    rigger("upgrade", "broker", "--to", "1.1", "--trust")
    assert "broker runs 2.0." in rigger("upgrade", "broker", "--trust").out
    assert (
        "is there already, in version 2.0"
        in rigger("module", "add", "kafka@1.0", "--as", "broker", code=2).err
    )
    assert machines.state()["modules"]["broker"]["labels"]["name"] == "Kafka"


def test_candidates_of_repositories_are_named_with_their_commands(machines, shelf):
    rigger = machines.rigger
    strong = "requires: {strong: [[{key: kind, operator: eq, values: [storage]}]]}\n"
    shelf.write("database", "1.0", KIND.format("database") + strong)
    shelf.write("disk", "1.0", KIND.format("storage"))
    rigger("repository", "add", "shelf")
    refused = rigger("module", "add", "database", "--trust", code=4).err
    assert "database requires an applied module with kind eq storage: there is none." in refused
    assert "Add disk, version 1.0 from shelf: A storage:\n    rigger module add disk" in refused
    assert not machines.exists("scripts", "addon", "database")


@pytest.mark.slow
def test_a_module_of_a_git_repository(machines, shelf, tmp_path):
    rigger = machines.rigger
    shelf.write("cache", "1.0")
    commit = shelf.commit()
    shelf.write("cache", "1.0", apply="exit 9\n")
    shelf.commit()
    index = Shelf(tmp_path / "index")
    index.entries = {
        "cache": {"1.0": {"git": f"file://{shelf.folder}", "commit": commit, "folder": "cache/1.0"}}
    }
    index.write_index(name="Our Modules")
    with served(tmp_path) as url:
        rigger("repository", "add", f"{url}/index/v1.yaml")
        rigger("module", "add", "cache", "--trust")
    assert {*listed(rigger)} == {"our-modules"}
    rigger("provision", "cache")
    rigger("repository", "add", f"file://{shelf.folder}", "--as", "git")
    assert (
        "cache 1.0 is added" in rigger("module", "add", "cache", "--from", "git", "--as", "c2", "--trust").out
    )
    rigger("provision", "c2", code=5)


def test_an_index_of_epiphany_is_read(rigger, tmp_path):
    component = (
        "version: v1\nkind: Repository\ncomponents:\n  - name: azbi\n    type: docker\n    versions:\n"
        '      - version: dev\n        latest: true\n        image: "docker.io/epiphanyplatform/azbi:dev"\n'
        '        workdir: "/shared"\n        mounts: ["/terraform"]\n        shared: "/shared"\n        commands:\n'
        '          - name: init\n            description: "init"\n            command: init\n            args:\n'
        '              - "--name=#Environment#{{.Name}}"\n            envs:\n              TF_LOG: WARN\n'
    )
    (tmp_path / "v1.yaml").write_text(component)
    rigger("repository", "add", "./v1.yaml", "--as", "epiphany")
    assert listed(rigger)["epiphany"]["modules"][0]["latest"] == "dev"
