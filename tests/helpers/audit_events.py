"""Events told to one part of the audit log's state, as a log would tell them."""

import itertools

from rigger.audit.events import parse

PROVIDER, PLATFORM = "provider/soil", "platform/tree"
_numbers = itertools.count(1)


def tell(history, *told):
    """Tell a history events, each a name and its fields or a list of such; return the history."""
    for name, fields in itertools.chain.from_iterable(
        [one] if isinstance(one, tuple) else one for one in told
    ):
        time = fields.get("time", "2026-11-20T21:44:00.123Z")
        history.take(parse({"seq": next(_numbers), "run": "run-1", "event": name, **fields, "time": time}))
    return history


def begun(step, module=PLATFORM, command="provision", run="run-1", number=None, **parameters):
    """Return the record of a step that began."""
    number = next(_numbers) if number is None else number
    own = {"run": run, "number": number, "module": module, "step": step}
    return "step-started", {**own, "command": command, "parameters": parameters}


def ended(start, exit_code=0, interrupted=False):
    """Return the record of the end of a step that began so."""
    own = {name: start[1][name] for name in ("run", "number", "module", "step")}
    return "step-finished", {**own, "exit_code": exit_code, "interrupted": interrupted}


def ran(step, module=PLATFORM, exit_code=0, interrupted=False, **fields):
    """Return the records of a step that ran to its end."""
    start = begun(step, module, **fields)
    return [start, ended(start, exit_code, interrupted)]
