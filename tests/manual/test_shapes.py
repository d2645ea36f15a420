"""What -o json prints is what the manual says: every report has the types that its schema names, and no field beside."""

import json
import os
import subprocess

import jsonschema
import pytest
from conftest import ROOT
from helpers.module_repositories import Shelf
from helpers.repositories import Upstream
from helpers.shop import MANIFEST, Shop

from rigger.cli.main import every_verb

SHAPES = os.path.join(ROOT, "docs", "shapes")


def shape(name):
    with open(os.path.join(SHAPES, f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def undescribed(report, schema, path=""):
    """Yield the fields of a report that its schema does not name."""
    if isinstance(report, list):
        for item in report:
            yield from undescribed(item, schema.get("items", {}), f"{path}[]")
    elif isinstance(report, dict) and "properties" in schema:
        for name, value in report.items():
            if name not in schema["properties"]:
                yield f"{path}.{name}"
            yield from undescribed(value, schema["properties"].get(name, {}), f"{path}.{name}")
    elif isinstance(report, dict):
        for value in report.values():
            yield from undescribed(value, schema.get("additionalProperties", {}), f"{path}.*")


@pytest.fixture
def reported(rigger):
    """Run a command with -o json, and hold its report to a schema, by default the one of the command's name."""
    compared = set()

    def run(*words, shape_of=None, code=0):
        name = shape_of or words[0]
        report = json.loads(rigger(*words, "-o", "json", code=code).out)
        schema = shape(name)
        jsonschema.validate(report, schema)
        assert not list(undescribed(report, schema)), name
        compared.add(name)
        return report

    run.compared = compared
    return run


@pytest.mark.slow
def test_every_report_is_as_described(rigger, reported, modules, tmp_path):
    scripts = {
        "backup": 'echo data >"$RIGGER_BACKUP_FILE"\nrigger-figure keys 7\n',
        "restore": "",
        "setup-clients": "",
        "tests/grows": "",
        "upgrade-inplace": "",
        "deploy": "rigger-save-vars LEAVES=green\n",
    }
    manifest = "versions: [1.0.0, 1.1.0]\nupgrades: {inplace: {}}\nsuites: {smoke: [grows]}\n"
    folder = modules.write("platform", "oak", manifest, **scripts)
    create = 'echo \'{"name": "node-1", "address": "127.0.0.1"}\' >>"$RIGGER_INVENTORY_OUTPUT"\n'
    modules.write(
        "provider",
        "soil",
        "questions: [{name: SIZE, default: small}]\n",
        create=create,
        exec='shift\nexec "$@"\n',
        suspend="",
        resume="",
    )
    rigger("configure", "--defaults", "--provider", "soil", "--platform", "oak", "--version", "1.0.0")
    reported("configure", "--questions", "--no-input", shape_of="configure-questions")
    reported("configure", "--defaults", "--name", "oak")
    reported("provision", "--nonsense", shape_of="error", code=2)
    reported("list")
    reported("status")
    reported("doctor")
    reported("provision", "--plan", shape_of="provision-plan")
    reported("provision")
    for command in (
        "status",
        "history",
        "logs",
        "list",
        "check",
        "audit",
        "backup",
        "setup-clients",
        "leftovers",
    ):
        reported(command)
    reported("run", "deploy")
    reported("test", "smoke")
    reported("config", "get", shape_of="config-get")
    rigger("config", "set", "SIZE=large")
    reported("config", "diff", shape_of="config-diff")
    reported("status")
    reported(
        "upgrade", "--version", "1.1.0", "--upgrade-style", "inplace", "--plan", shape_of="provision-plan"
    )
    rigger("config", "unset", "SIZE")
    reported("upgrade", "--version", "1.1.0", "--upgrade-style", "inplace")
    _look_back_and_prove(reported, str(tmp_path / "key"))
    backups = rigger.path("environments", "oak", "backups")
    reported("restore", os.path.join(backups, sorted(os.listdir(backups))[0]), "-y")
    reported("save", "-f", str(tmp_path / "oak.rigger"))
    for verb in ("inspect", "verify", "diff"):
        reported("bundle", verb, str(tmp_path / "oak.rigger"), shape_of=f"bundle-{verb}")
    reported("suspend", "-y")
    reported("resume")
    reported("provider", "list", shape_of="provider-list")
    reported("platform", "list", shape_of="provider-list")
    reported("module", "check", folder, shape_of="module-check", code=None)
    modules.write(
        "addon", "birds", "influences: [[{key: kind, operator: eq, values: [cats]}]]\n", init="", scale=""
    )
    modules.write(
        "addon",
        "cats",
        "labels: {kind: cats}\nquestions: [{name: A, default: 1}]\n",
        plan="echo hungry\nexit 8\n",
    )
    shelf = Shelf(tmp_path / "shelf")
    shelf.write("dogs", "1.0")
    reported("repository", "add", shelf.folder, shape_of="repository-add")
    shelf.write("dogs", "1.1")
    for verb in ("update", "list"):
        reported("repository", verb, shape_of=f"repository-{verb}")
    reported("module", "search", shape_of="module-search")
    reported("repository", "remove", "shelf", shape_of="repository-remove")
    for name in ("cats", "birds"):
        reported("module", "add", name, shape_of="module-add")
        reported("provision", name)
    reported("scale", "birds", "--plan", shape_of="provision-plan")
    reported("module", "add", "birds", "--plan", shape_of="module-add")
    reported("scale", "birds")
    reported("module", "list", shape_of="module-list")
    reported("module", "info", "cats", shape_of="module-info")
    pack = str(tmp_path / "all.offline")
    reported("offline", "export", "--without-rigger", "-f", pack, shape_of="offline-export")
    reported("offline", "import", pack, shape_of="offline-import")
    reported("module", "remove", "birds", "-y", shape_of="module-remove")
    reported("destroy", "-y")
    upstream = Upstream(tmp_path / "tree")
    modules.write("platform", "tree", f"repository: {upstream.url}\nversions: git-tags\n")
    rigger("configure", "--defaults", "--trust", "--name", "tree", "--platform", "tree", "--provider", "noop")
    reported("checkout", "--leave")
    assert reported.compared == {name[:-5] for name in os.listdir(SHAPES)} - RELEASES - REHEARSED


def _look_back_and_prove(reported, key):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{key}-2"], check=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    reported("status", "--at", "1")
    reported("config", "diff", "--at", "1", shape_of="config-diff")
    reported("history", "SIZE")
    reported("blame", "SIZE")
    reported("diff", "1", "last")
    attested = reported("attest", "1", "--sign", key)
    head = "{count}:{hash}".format(**attested["head"])
    reported("approve", head, "--sign", f"{key}-2")
    reported("verify", attested["file"], "--key", f"{key}.pub")


REHEARSED = {"upgrade-rehearse"}  # tests/rehearsals make one
RELEASES = {
    *(
        "deploy",
        "image-list",
        "image-set",
        "release-create",
        "release-diff",
        "release-list",
        "release-make-table",
        "release-repair",
    ),
    *("release-show", "release-status"),
}


@pytest.mark.slow
def test_every_report_about_releases_is_as_described(rigger, reported, modules, aws):
    shop = Shop(rigger, modules)
    reported("release", "status", shape_of="release-status")
    reported("image", "set", "latest", "api=a:1", shape_of="image-set")
    reported("image", "list", shape_of="image-list")
    reported("release", "create", "-y", "--reason", "why", shape_of="release-create")
    reported("deploy", "stage", "--plan")
    reported("deploy", "stage", "-y", "--request", "one")
    shop.build("broken")
    reported("deploy", "stage", "-y", code=5)
    report = reported("release", "list", shape_of="release-list")
    reported("release", "show", report["releases"][1]["release_id"], shape_of="release-show")
    reported("release", "diff", "stage", "latest", shape_of="release-diff")
    reported("release", "status", shape_of="release-status")
    reported("release", "repair", shape_of="release-repair")
    rigger.env |= aws
    shop.write({"storage": {**MANIFEST["storage"], "store": "aws"}})
    reported("release", "make-table", "-y", shape_of="release-make-table")
    assert reported.compared == RELEASES


def test_every_command_that_reports_has_a_schema():
    reporting = {path.replace(" ", "-") for path, verb in every_verb() if reports_as_json(verb)}
    assert len(reporting) > 25
    same = {"platform-list": "provider-list"}
    assert {same.get(name, name) for name in reporting} == {name[:-5] for name in os.listdir(SHAPES)} - {
        "provision-plan",
        "configure-questions",
        *REHEARSED,
        "error",
    }


def reports_as_json(verb):
    return any("-o" in one.names and "json" in (one.metavar or one.choices) for one in verb.options)


def test_the_schemas_are_schemas():
    for name in os.listdir(SHAPES):
        jsonschema.Draft202012Validator.check_schema(shape(name[:-5]))
