"""YAML with the line of every value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger.errors import ModuleRefused, Refused
from rigger.modules import yaml as yaml_reader
from rigger.modules.yaml import Field

CONTENT = b"name: oak\ntools:\n  - git\n  - sh\ntypes: {small: {NODES: 1.10}}\n"


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest and return its path."""

    def write(content=CONTENT):
        path = tmp_path / "rigger.yml"
        path.write_bytes(content)
        return str(path)

    return write


@pytest.fixture
def top(manifest):
    return yaml_reader.read(manifest())


def scalar(text):
    return Field(["scalar", 7, text], "rigger.yml", "flag")


def test_every_value_knows_its_line_and_its_path(top):
    entries = top.entries()
    assert [(name, field.line) for name, field in entries.items()] == [
        ("name", 1),
        ("tools", 3),
        ("types", 5),
    ]
    assert [(item.text(), item.line, item.path) for item in entries["tools"].items()] == [
        ("git", 3, "tools[0]"),
        ("sh", 4, "tools[1]"),
    ]
    assert entries["types"].entries()["small"].entries()["NODES"].path == "types.small.NODES"


def test_a_record_decodes_the_fields_that_it_knows(manifest):
    top = yaml_reader.read(manifest(b"version-pattern: x\nports: [1, 2]\n"))
    found = top.record({"version-pattern": Field.text, "ports": Field.texts, "name": Field.text})
    assert found == {"version_pattern": "x", "ports": ("1", "2")}


def test_a_field_that_is_not_known_is_refused_with_the_nearest_one(manifest):
    path = manifest(b"name: oak\nversion-patern: x\n")
    with pytest.raises(ModuleRefused) as refused:
        yaml_reader.read(path).record({"name": Field.text, "version-pattern": Field.text})
    assert refused.value.message == (
        f"{path}, line 2: version-patern: there is no such field (did you mean version-pattern?)"
    )
    assert refused.value.reason.startswith("there is no such field") and refused.value.topic == "manifest"


@pytest.mark.parametrize("text", ["true", "Yes", "TRUE", "yes", "false", "No"])
def test_a_flag_is_a_word(text):
    assert scalar(text).flag() == (text.lower() in ("true", "yes"))


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (Field.flag, "1", "'1' is neither true nor false"),
        (Field.integer, "1.0", "'1.0' is not a whole number"),
        (Field.integer, "٣", "is not a whole number"),
        (Field.integer, "1" * 19, "is not a whole number"),
        (Field.text, "a\0b", "must not hold a NUL byte"),
        (Field.items, "a", "must be a list"),
        (Field.entries, "a", "must be a map of names to values"),
        (lambda field: field.word(("small", "large")), "smal", "did you mean small?"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_place(read, text, said):
    with pytest.raises(ModuleRefused) as refused:
        read(scalar(text))
    assert refused.value.message.startswith("rigger.yml, line 7: flag: ") and said in refused.value.message


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_a_whole_number_is_read_as_it_is_written(number):
    assert scalar(str(number)).integer() == number


# What is no manifest


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(Refused, match=f"{tmp_path}/none cannot be read: No such file or directory"):
        yaml_reader.read(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", " is empty."),
        (b"a: \xff", " is not UTF-8 text (byte 3)."),
        (b"a: 1\nb: [1\n", ", line 3: "),
        (b"a: \x01\n", " is not YAML: "),
        (b"[" * 19 + b"]" * 19, " is too large or too deep to be read."),
        (b"x" * ((1 << 20) + 1), " is larger than 1048576 bytes."),
        (b"[" + b"a," * 20_000 + b"]", " is too large or too deep to be read."),
    ],
    ids=range(7),
)
def test_what_is_no_manifest_is_refused(manifest, content, said):
    path = manifest(content)
    with pytest.raises(Refused) as refused:
        yaml_reader.read(path)
    assert refused.value.message.startswith(f"{path}{said}")


def test_what_is_just_small_enough_is_read(manifest):
    assert len(yaml_reader.read(manifest(b"[" + b"a," * 19_999 + b"]")).value) == 19_999
    assert yaml_reader.read(manifest(b"[" * 18 + b"]" * 18)).kind == "sequence"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(data)
    try:
        yaml_reader.read(str(path))
    except Refused as problem:
        assert problem.message.startswith(str(path)) and problem.next_step
