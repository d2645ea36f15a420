"""Rehearsals of any platform: which secrets its copy has, what its own script `faults` is asked, what is not known without figures."""

import json
import os
import signal
import time

import pytest

from rigger.rehearsals.model import SCENARIOS

CREATE = """
    for node in node-1 node-2; do
        echo "{\\"name\\": \\"$node\\", \\"address\\": \\"127.0.0.1\\"}" >>"$RIGGER_INVENTORY_OUTPUT"
    done
"""
MANIFEST = """
    versions: [1.0.0, 1.1.0]
    upgrades: {{inplace: {{rollback: {rollback}}}}}
    questions:
      - {{name: ADMIN, type: secret, generate: {{length: 20}}}}
      - {{name: TOKEN, type: secret}}
      - {{name: BUCKET_KEY, type: secret, copy: false}}
    suites: {{app-deploy: [app-deploy], app-test: [app-test]}}
"""
APPLICATIONS = {
    "tests__app-deploy": "",
    "tests__app-test": "rigger-figure acknowledged 7\nrigger-figure lost 0\nrigger-figure longest_gap_seconds 0.5\n",
}
SECRETS = ("ADMIN", "TOKEN", "BUCKET_KEY")


class Wood:
    """A small platform on nodes that are on paper alone, whose scripts note what they are given."""

    def __init__(self, rigger, modules, rollback="script", **scripts):
        self.rigger = rigger
        self.noted = os.path.join(rigger.folder, "noted")
        rigger.env["NOTED"] = self.noted
        note = 'echo "$RIGGER_ENVIRONMENT $RIGGER_ENVIRONMENT_ID $ADMIN $TOKEN $BUCKET_KEY" >>"$NOTED"\n'
        alone = 'shift\nexec "$@"\n'
        modules.write(
            "provider", "soil", "", create=CREATE, exec=alone, destroy='echo destroyed >>"$NOTED"\n'
        )
        manifest = MANIFEST.format(rollback=rollback)
        modules.write("platform", "oak", manifest, **{"deploy": note, "upgrade-inplace": "", **scripts})
        rigger.env.update(RIGGER_TOKEN="real-token", RIGGER_BUCKET_KEY="real-bucket-key")
        chosen = ("--provider", "soil", "--platform", "oak", "--version", "1.0.0")
        rigger("configure", "--defaults", "--name", "wood", *chosen)
        rigger("provision", "-y")

    def rehearse(self, *words, code=0):
        said = self.rigger(
            "upgrade", "--version", "1.1.0", "--rehearse", "--on", "soil", *words, "-o", "json", code=code
        )
        return json.loads(said.out)

    def notes(self):
        with open(self.noted) as file:
            return [line.split() for line in file.read().splitlines()]


@pytest.mark.slow
def test_a_copy_has_secrets_of_its_own_where_that_can_be(rigger, modules):
    wood = Wood(rigger, modules, **APPLICATIONS)
    assert wood.rehearse("--only", "plain")["verdict"] == "go"
    real, *copies = [note for note in wood.notes() if note != ["destroyed"]]
    [copy] = copies
    assert (real[0], copy[0]) == ("wood", "wood-rehearsal") and real[1] != copy[1]
    before, after = (dict(zip(SECRETS, note[2:], strict=True)) for note in (real, copy))
    assert before["ADMIN"] != after["ADMIN"] and len(after["ADMIN"]) == 20
    assert before["TOKEN"] == after["TOKEN"] == "real-token"
    assert before["BUCKET_KEY"] == "real-bucket-key" and after["BUCKET_KEY"].startswith("rehearsal-")
    assert ["destroyed"] in wood.notes() and os.listdir(rigger.path("environments")) == ["wood"]


@pytest.mark.slow
def test_where_nothing_is_written_nothing_is_known(rigger, modules):
    wood = Wood(rigger, modules)
    report = wood.rehearse("--only", "plain", code=6)
    assert report["verdict"] == "inconclusive" and "nothing was written meanwhile" in report["reason"]
    assert os.path.isfile(report["page"])


FAULTS = """
    echo "$@" >>"$NOTED"
    if [ "$1" = list ]; then
        printf 'member-killed\\tyes\\tit is killed\\nnode-silent\\tno\\tnobody can\\n'
    fi
"""


@pytest.mark.slow
def test_a_platform_makes_what_goes_wrong_itself(rigger, modules):
    slow = {"upgrade-inplace": "sleep 1\n"}
    wood = Wood(rigger, modules, rollback="none", faults=FAULTS, **slow, **APPLICATIONS)
    report = wood.rehearse()
    made = {one["name"] for one in report["rehearsals"]}
    assert made == {"plain", "killed-between", "killed-inside", "killed-rigger"} and report["verdict"] == "go"
    reasons = {one["name"]: one["reason"] for one in report["left_out"]}
    assert {*made, *reasons} == {scenario.name for scenario in SCENARIOS}
    assert reasons["silent"] == "nobody can" and "rollback: none" in reasons["back-half-way"]
    assert reasons["disk-full"].startswith("neither the platform nor the provider soil has a script faults")
    asked = [note for note in wood.notes() if note[0] in ("list", "prepare", "make", "undo")]
    assert asked[0] == ["list"]
    assert asked[1:4] == [[word, "member-killed", "node-2"] for word in ("prepare", "make", "undo")]


@pytest.mark.slow
def test_what_makes_no_sense_is_refused(rigger, modules):
    wood = Wood(rigger, modules)
    for words, said in (
        (("--rehearse", "--only", "plane"), "There is no rehearsal 'plane' (did you mean plain?)."),
        (("--rehearse", "--continue"), "What is rehearsed is a whole upgrade."),
        (("--rehearse", "--plan"), "A rehearsal changes nothing"),
        (("--on", "soil"), "are about a rehearsal."),
        (("--rehearse", "--on", "clay"), "clay"),
        (("--require-rehearsal=soon",), "--require-rehearsal 'soon' is no age."),
    ):
        refused = rigger("upgrade", "--version", "1.1.0", *words, code=2)
        assert said in refused.err, refused
    assert wood.notes() and os.listdir(rigger.path("environments")) == ["wood"]


@pytest.mark.slow
def test_a_copy_is_filled_with_the_newest_backup_or_a_fresh_one(rigger, modules):
    scripts = {
        "backup": 'echo "data of $RIGGER_ENVIRONMENT" >"$RIGGER_BACKUP_FILE"\n',
        "restore": 'echo "restored $(cat "$RIGGER_BACKUP_FILE")" >>"$NOTED"\n',
    }
    wood = Wood(rigger, modules, **scripts, **APPLICATIONS)
    backups = rigger.path("environments", "wood", "backups")
    # There is none: one is made.
    first = wood.rehearse("--only", "plain")["data"]["file"]
    assert os.listdir(backups) == [os.path.basename(first)]
    assert ["restored", "data", "of", "wood"] in wood.notes()
    assert wood.rehearse("--only", "plain")["data"]["file"] == first
    fresh = wood.rehearse("--only", "plain", "--fresh-backup")["data"]["file"]
    assert fresh != first and len(os.listdir(backups)) == 2


@pytest.mark.slow
def test_ctrl_c_speaks_of_the_rehearsal_and_not_of_the_copy(rigger, modules):
    wood = Wood(rigger, modules, **APPLICATIONS | {"tests__app-deploy": 'touch "$NOTED.begun"\nsleep 60\n'})
    before = os.listdir(rigger.path("environments"))
    process = rigger.start("upgrade", "--version", "1.1.0", "--rehearse", "--on", "soil", "-y")
    until = time.monotonic() + 30
    while not os.path.exists(f"{wood.noted}.begun") and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130
    assert "rigger: The rehearsal was interrupted: there is no verdict, and wood is as it was.\n" in said
    assert "    rigger upgrade --version 1.1.0 --upgrade-style inplace --rehearse\n" in said
    assert "rigger logs" not in said and os.listdir(rigger.path("environments")) == before
