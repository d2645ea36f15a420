"""The manifest of an add-on: what it requires is read as written, and a slip is refused with its line."""

import pytest

from rigger.errors import ModuleRefused
from rigger.modules import manifest

KAFKA = """\
interface: 2
name: kafka
role: addon
version: 2.10
labels: {kind: stream-processor, provides-kafka: 2.10}
requires:
  strong:
    - [{key: kind, operator: eq, values: [infrastructure]}, {key: provider, operator: in, values: [aws, local]}]
    - any:
        - [{key: provides-zookeeper, operator: ">=", values: [3.5]}]
        - [{key: kind, operator: eq, values: [coordinator]}]
  weak:
    - [{key: kind, operator: eq, values: [monitoring]}]
influences:
  - [{key: kind, operator: eq, values: [monitoring]}]
needs: [monitoring.targets]
provides: [brokers]
requirements:
  files: [{url: "https://example.org/kafka.tgz", sha256: "%s"}]
  packages: {debian: [jq]}
  python: [kafka-python==2.2.15]
questions:
  - {name: SIZE, type: integer, default: 3}
""" % ("0" * 64)


def load(folder, text):
    (folder / "rigger.yml").write_text(text)
    return manifest.load(str(folder))


def test_what_it_requires_is_read_as_written(tmp_path):
    kafka = load(tmp_path, KAFKA)
    assert (kafka.role, kafka.version, kafka.prefix) == ("addon", "2.10", "KAFKA")
    infrastructure, coordinator = kafka.requires.strong
    assert str(infrastructure) == "kind eq infrastructure and provider in aws, local"
    assert str(coordinator) == "provides-zookeeper >= 3.5, or kind eq coordinator"
    assert [str(group) for group in kafka.requires.weak] == ["kind eq monitoring"]
    assert [str(group) for group in kafka.influences] == ["kind eq monitoring"]
    assert kafka.requirements.files[0].url == "https://example.org/kafka.tgz"
    assert kafka.questions[0].changes == "apply"


def test_two_ten_stays_two_ten_and_is_newer_than_two_nine(tmp_path):
    labels = load(tmp_path, KAFKA).every_label
    assert labels == {
        **{"name": "kafka", "role": "addon", "addon": "kafka", "version": "2.10"},
        **{"kind": "stream-processor", "provides-kafka": "2.10"},
    }
    newer = KAFKA.replace("provides-zookeeper", "provides-kafka").replace("[3.5]", "[2.9]")
    requirement = load(tmp_path, newer).requires.strong[1]
    assert requirement.holds(labels)


@pytest.mark.parametrize(
    "wrong, instead, line, said",
    [
        ("operator: in,", "operator: 'in,',", 8, "'in,' is not one of"),
        ("operator: in,", "operator: 'in,',", 8, "(did you mean in?)"),
        ("weak:", "week:", 13, "there is no such field (did you mean weak?)"),
        ("- any:", "- anny:", 10, "there is no such field (did you mean any?)"),
        ("values: [coordinator]", "valeus: [coordinator]", 11, "(did you mean values?)"),
        ("values: [3.5]", "values: [soon]", 10, "'soon' is no version"),
        ("values: [coordinator]", "values: [a, b]", 11, "eq takes one value, not 2"),
        ("influences:", "influence:", 15, "(did you mean influences?)"),
        ("packages: {debian", "packages: {debain", 20, "(did you mean debian?)"),
        ("provides-kafka: 2.10}", "kind: other}", 5, "labels.kind: is given twice"),
    ],
)
def test_a_slip_is_refused_with_its_line_and_what_was_meant(tmp_path, wrong, instead, line, said):
    assert wrong in KAFKA
    with pytest.raises(ModuleRefused) as refused:
        load(tmp_path, KAFKA.replace(wrong, instead, 1))
    assert f"rigger.yml, line {line}:" in refused.value.message
    assert said in refused.value.message
