"""The words of a command line become a verb's values, where nothing about them is odd.

A word that is not plainly right is not judged here: None sends it to click, whose rules these are, and which says what is
wrong with it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.cli.declared import Option, Verb


def environment_in_front(words: list[str]) -> tuple[str | None, list[str]] | None:
    """Return the environment that is named in front of a verb, or None, and the words from the verb on."""
    name = None
    while words[:1] in (["-e"], ["--environment"]) and len(words) > 1 and not words[1].startswith("-"):
        name, words = words[1], words[2:]
    return (name, words) if words and not words[0].startswith("-") else None


def values_of(verb: Verb, words: list[str]) -> dict[str, Any] | None:
    """Return a value for each parameter of a verb."""
    names = {name: option for option in verb.options for name in (*option.names, *option.off)}
    values = {option.name: () if option.multiple else option.default for option in verb.options}
    rest, left = list(words), []
    while rest:
        word = rest.pop(0)
        if word == "--":
            left += rest
            break
        if word.startswith("-") and word != "-":
            name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
            option = names.get(name)
            if option is None or not _take(option, name, [value] if equals else rest, bool(equals), values):
                return None
            continue
        left.append(word)
        if not verb.interspersed:
            left += rest
            break
    return values if _take_arguments(verb, left, values) else None


def _take(option: Option, name: str, words: list[str], joined: bool, values: dict[str, Any]) -> bool:
    """Note the value of an option, which is the first of the words but for a flag; return whether it may be that."""
    if option.flag:
        values[option.name] = name in option.names
        return not joined
    if option.alone is not None and not joined:
        values[option.name] = option.alone
        return True
    if not words or (words[0].startswith("-") and not joined):
        return False
    value = words.pop(0)
    values[option.name] = (*values[option.name], value) if option.multiple else value
    return not option.choices or value in option.choices


def _take_arguments(verb: Verb, words: list[str], values: dict[str, Any]) -> bool:
    """Note the values of the arguments; return whether there are as many words as they need."""
    for argument in verb.arguments:
        if argument.required and not words:
            return False
        if argument.many:
            values[argument.name], words = tuple(words), []
        else:
            values[argument.name], words = (words[0] if words else None), words[1:]
    return not words
