"""The questions as data against the prompts: who answers either has the same values."""

import json

from helpers.conversations import ENTER, Conversation


def values(rigger, name, asked):
    """Return what an environment's questions are answered with; whether that is a default makes no difference."""
    said = rigger("-e", name, "config", "get", "--show-secrets", "-o", "json").out
    return {row["name"]: row["value"] for row in json.loads(said)["values"] if row["name"] in asked}


def same_answers(rigger, *words, typed=None, env=None, size=(50, 160)):
    """Have the questions as data, answer them at the prompts, then from a file, and compare; return what was asked.

    `typed` are the answers by name that are no default.
    """
    typed = typed or {}
    given = [word for name, value in typed.items() for word in ("--set", f"{name}={value}")]
    said = rigger("configure", "--questions", "-o", "json", "--name", "one", *words, *given, env=env)
    report = json.loads(said.out)
    assert report["complete"], report["missing"]
    asked = [
        row
        for row in report["questions"]
        if row["applies"]
        and (not row["advanced"] or "--advanced" in words)
        and (row["name"] in typed or row["source"] == "default" or not row["answered"])
    ]
    talk = Conversation(rigger, "--name", "one", *words, size=size, **(env or {}))
    for row in asked:
        talk.sees(row["ask"]).types(typed.get(row["name"], "") + ENTER)
    talk.goes(("Is this right?", ENTER)).ends(0)
    with open(f"{rigger.folder}/answers", "w") as file:
        for row in asked:
            if row["answered"]:
                value = typed.get(row["name"], row["value"])
                file.write(f"{row['name']}='{value}'\n")
    rigger(
        "configure", "--no-input", "--name", "two", *words, "--answers", f"{rigger.folder}/answers", env=env
    )
    names = {row["name"] for row in report["questions"] if row["applies"]}
    one, two = values(rigger, "one", names), values(rigger, "two", names)
    assert one == two, {n: (one.get(n), two.get(n)) for n in {*one, *two} if one.get(n) != two.get(n)}
    shown = {
        row["name"]: row["value"] for row in report["questions"] if row["name"] in one and not row["secret"]
    }
    assert shown == {name: one[name] for name in shown}
    return [row["name"] for row in asked]
