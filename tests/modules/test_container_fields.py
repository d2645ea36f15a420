"""The field `container` of a manifest: an image, and which of its commands does the work of which verb."""

import pytest

from rigger.errors import ModuleRefused
from rigger.modules import manifest

POSTGRES = """\
interface: 2
name: azpg
role: addon
version: 0.1.0
labels: {short: azpg, kind: database}
container:
  image: "lambdastack/azpg:0.1.0"
  digest: "sha256:%s"
  workdir: /workdir
  mounts: [/terraform]
  shared: /shared
  commands:
    - {name: metadata, description: the labels, command: metadata, args: [--json]}
    - {name: init, command: init, args: [--name, "{{ NAME }}"], envs: {LEVEL: warn}}
    - {name: apply}
    - {name: destroy, command: remove}
""" % ("0" * 64)


def load(folder, text):
    (folder / "rigger.yml").write_text(text)
    return manifest.load(str(folder))


def test_an_image_and_its_commands_are_read(tmp_path):
    container = load(tmp_path, POSTGRES).container
    assert (container.image, container.digest) == ("lambdastack/azpg:0.1.0", f"sha256:{'0' * 64}")
    assert (container.workdir, container.mounts, container.shared) == ("/workdir", ("/terraform",), "/shared")
    init = container.commands["init"]
    assert (init.command, init.args, dict(init.envs)) == ("init", ("--name", "{{ NAME }}"), {"LEVEL": "warn"})
    assert (
        container.commands["apply"].command == "apply" and container.commands["destroy"].command == "remove"
    )


def test_its_commands_are_the_scripts(tmp_path):
    module = load(tmp_path, POSTGRES)
    assert not module.script_problems()
    assert [verb for verb in ("init", "plan", "apply", "audit", "destroy") if module.script(verb)] == [
        *("init", "apply", "destroy")
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sha256:", "md5:", "is no digest"),
        ("workdir: /workdir", "workdir: workdir", "is no absolute path"),
        ("mounts: [/terraform]", "mounts: ['/a:/b']", "is no absolute path"),
        ("{name: apply}", "{name: apply}\n    - {name: apply}", "the command apply is given twice"),
        ("{name: apply}", "{nam: apply}", "did you mean name?"),
        ('image: "lambdastack/azpg:0.1.0"', "image: --privileged", "is not the name of an image"),
        ('  image: "lambdastack/azpg:0.1.0"\n', "", "the field 'image' is missing"),
    ],
)
def test_a_slip_is_refused_with_its_line(tmp_path, old, new, said):
    with pytest.raises(ModuleRefused) as refused:
        load(tmp_path, POSTGRES.replace(old, new))
    assert said in refused.value.reason


def test_an_image_that_cannot_be_removed_again_is_named(tmp_path):
    module = load(tmp_path, POSTGRES.replace("    - {name: destroy, command: remove}\n", ""))
    assert module.script_problems() == ["it has no script destroy"]
