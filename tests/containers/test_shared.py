"""Components of modular LambdaStack run as they are: commands of an image that read and write /shared/state.json."""

import json
import os

import pytest
from helpers import images
from helpers.addons import Machines

NAME = f"localhost/rigger-test-lambda:{os.getpid()}"
SCRIPT = """\
state=/shared/state.json
own=/shared/azbi
case $1 in
metadata) echo 'labels: {version: 0.1.0, name: Azure Basic Infrastructure, short: azbi, provides-vms: true}';;
init)
    mkdir -p $own; echo "{\\"name\\": \\"$3\\"}" >$own/azbi-config.json
    echo '{"kind": "state", "version": "v0.0.1", "azbi": {"status": "initialized", "config": {"params": {"vms_count": 3}}, "output": null}}' >$state;;
plan) [ -e $own/applied ] || { echo "would make 3 machines"; exit 8; };;
apply)
    cat $state; touch $own/applied
    [ ! -e $own/broken ] || { echo '{' >$state; exit 0; }
    echo '{"kind": "state", "version": "v0.0.1", "azbi": {"status": "applied", "config": {"params": {"vms_count": 3}}, "output": {"rg_name": "epi", "vms": ["a", "b"]}}}' >$state;;
audit) [ -e $own/applied ] || exit 8;;
destroy) grep -q '"rg_name": "epi"' $state && rm $own/applied;;
esac
"""
MANIFEST = """\
version: 0.1.0
labels: {{short: azbi, kind: basic}}
provides: [rg_name]
questions: [{{name: GROUP, default: epiphany}}, {{name: VMS_COUNT, type: integer, default: 1}}]
container:
  image: {image}
  shared: /shared
  commands:
    - {{name: metadata, command: metadata}}
    - {{name: init, command: init, args: [--name, "{{{{ GROUP | default('epi') }}}}"]}}
    - {{name: plan, command: plan}}
    - {{name: apply, command: apply}}
    - {{name: audit, command: audit}}
    - {{name: destroy, command: destroy}}
"""


pytestmark = pytest.mark.slow  # each starts containers


@pytest.fixture
def machines(rigger, modules, image):
    rigger.env["RIGGER_CONTAINER_ARGUMENTS"] = images.arguments()
    machines = Machines(rigger, modules)
    folder = machines.addon("azure", MANIFEST.format(image=NAME))
    for verb in ("apply", "destroy"):
        os.unlink(os.path.join(folder, verb))
    rigger("provision")
    return machines


def test_its_state_becomes_riggers_and_the_other_way_round(machines):
    rigger = machines.rigger
    rigger("module", "add", "azure", "--no-input")
    assert 'AZURE_VMS_COUNT="3"' in machines.vars()  # its init proposed it
    said = rigger("provision", "azure").out
    assert "would make 3 machines" in said
    assert '"machines": {' in said and '"status": "initialized"' in said  # what the image read
    state = machines.state()["modules"]["azure"]
    assert (state["status"], state["output"]) == ("applied", {"rg_name": "epi", "vms": ["a", "b"]})
    assert json.load(open(machines.path("modules", "azure", "azbi-config.json"))) == {"name": "epi"}
    rigger("audit", "azure")
    rigger("module", "remove", "azure", "-y")
    assert not machines.exists("modules", "azure", "applied")


def test_two_of_one_image_have_each_its_own_folder(machines):
    rigger = machines.rigger
    for name in ("azure", "azure2"):
        rigger("module", "add", "azure", "--as", name, "--no-input")
        rigger("provision", name)
    assert machines.exists("modules", "azure", "applied") and machines.exists("modules", "azure2", "applied")
    rigger("module", "remove", "azure", "-y")
    assert machines.exists("modules", "azure2", "applied")
    assert not machines.exists("modules", "azbi")


def test_an_image_that_writes_no_valid_state_has_failed(machines):
    rigger = machines.rigger
    rigger("module", "add", "azure", "--no-input")
    open(machines.path("modules", "azure", "broken"), "w").close()
    said = rigger("provision", "azure", code=5)
    assert "left no valid state in /shared/state.json: it is not JSON" in said.out + said.err
    assert machines.state()["modules"]["azure"]["status"] == "failed"
    os.unlink(machines.path("modules", "azure", "broken"))
    rigger("provision", "azure")
    assert machines.state()["modules"]["azure"]["status"] == "applied"


INDEX = """\
version: v1
kind: Repository
components:
  - name: azure
    type: docker
    versions:
      - version: 0.1.0
        latest: true
        image: "{image}"
        workdir: "/"
        shared: "/shared"
        mounts: ["/terraform"]
        commands:
          - {{name: metadata, description: says the labels, command: metadata}}
          - {{name: init, command: init, envs: {{TF_LOG: WARN}}, args: [--name, epi]}}
          - {{name: plan, command: plan}}
          - {{name: apply, command: apply}}
          - {{name: audit, command: audit}}
          - {{name: destroy, command: destroy}}
"""


def test_a_component_of_a_repository_runs_as_it_is_with_the_labels_that_it_says(machines, tmp_path):
    rigger, index = machines.rigger, tmp_path / "shelf" / "v1.yaml"
    index.parent.mkdir()
    index.write_text(INDEX.format(image=NAME))
    del rigger.env["RIGGER_ADDON_PATH"]
    rigger("repository", "add", index.parent)
    rigger("module", "add", "azure", "--no-input", "--trust")
    rigger("provision", "azure")
    state = machines.state()["modules"]["azure"]
    assert state["labels"]["short"] == "azbi" and state["labels"]["provides-vms"] == "true"
    assert (state["status"], state["output"]["rg_name"]) == ("applied", "epi")
