"""The bill of materials is one by the schema of CycloneDX."""

import json
import os

import jsonschema
import pytest
from referencing import Registry, Resource

from rigger.offline import bom

schemas = pytest.importorskip(
    "cyclonedx.schema", reason="cyclonedx-python-lib, which has the schema, is not installed"
)
FILES = {
    "files/aa/tool": "0" * 64,
    "debian/x_1%3a2+b_all.deb": "1" * 64,
    "python/My_Lib-1.0-py3-none-any.whl": "2" * 64,
}


def validator():
    folder = os.path.join(os.path.dirname(schemas.__file__), "_res")
    found = []
    for name in os.listdir(folder):
        if name.endswith(".schema.json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found.append(json.load(file))
    (schema,) = (one for one in found if one.get("$id", "").endswith("bom-1.6.schema.json"))
    known = [(one["$id"], Resource.from_contents(one)) for one in found if "$id" in one]
    return jsonschema.Draft7Validator(schema, registry=Registry().with_resources(known))


def test_it_is_valid_and_names_packages():
    made = bom.bom("bare", FILES, [("tool", "jq")])
    assert not list(validator().iter_errors(made))
    assert [one.get("purl") for one in made["components"]] == [
        "pkg:deb/debian/x@1%3A2%2Bb?arch=all",
        None,
        "pkg:pypi/my-lib@1.0",
    ]
    made["components"][0]["hashes"][0]["content"] = "none"
    assert list(validator().iter_errors(made))
