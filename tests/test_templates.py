"""Templates of manifests: data, not programs."""

import pytest

from rigger import templates
from rigger.errors import Refused


def test_values_and_filters():
    assert templates.render("{{ A }}-{{ B | default('b') }}", {"A": "1"}, "here") == "1-b"
    assert templates.render("no braces: $A `x`", {}, "here") == "no braces: $A `x`"
    assert templates.render("{% if A == '1' %}one{% endif %}\n", {"A": "1"}, "here") == "one\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("yes", True),
        ("{{ A is defined }}", True),
        ("{{ B is defined }}", False),
        ("{{ A }}", True),
        ("{{ E }}", False),
    ]
    + [(word, False) for word in ("false", "no", "off", "0", "None", " False ", "")],
)
def test_conditions(source, expected):
    assert templates.is_true(source, {"A": "x", "E": ""}, "here") is expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ A.__init__.__globals__ }}",
        "{{ A.format.__self__.__class__ }}",
        "{{ '{0.__class__.__mro__}'.format(A) }}",
        "{{ cycler.__init__.__globals__.os.system('touch pwned') }}",
        "{{ lipsum.__globals__['os'].popen('touch pwned').read() }}",
        "{{ self.__init__ }}",
        "{{ A.missing.further }}",
        "{{ NOT_THERE }}",
        "{{ A",
        "{% for %}",
        "{{ 1 / 0 }}",
        "{{ A + 1 }}",
        "{{ A | nofilter }}",
        "{{ A() }}",
        "{% include 'x' %}",
        "{% import '/etc/passwd' as x %}",
        "{{ range(999999999) | list }}",
        "{{ [].append(1) or dict.fromkeys }}",
        "{{ A[5] }}",
        "{{ A | round }}",
        "{{ A | map('nothing') | list }}",
    ],
)
def test_what_reaches_too_far_is_refused_with_its_place(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused) as refused:
        templates.render(source, {"A": "text"}, "rigger.yml, COLOUR")
    assert refused.value.message.startswith("rigger.yml, COLOUR")
    assert list(tmp_path.iterdir()) == []


def test_a_value_is_never_a_template_itself():
    assert templates.render("{{ A }}", {"A": "{{ 1 + 1 }}"}, "here") == "{{ 1 + 1 }}"
