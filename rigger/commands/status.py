"""rigger status"""

import time

from rigger.audit import suspension
from rigger.audit import upgrades as recorded_upgrades
from rigger.audit.log import outcome_without_end
from rigger.audit.steps import History
from rigger.audit.suspension import DONE
from rigger.audit.upgrades import WAYS_ON
from rigger.cli.app import App, command
from rigger.configuration import resolve
from rigger.configuration.config import Config
from rigger.configuration.identity import require_recorded
from rigger.environments.environment import Environment
from rigger.errors import InvalidConfig
from rigger.plans.changes import unprovisioned


@command("status", reports=True)
def status(app: App):
    environment = app.environment()
    found = _status(environment)
    if app.json:
        app.printer.report(found)
        return
    app.printer.heading(f"{found['name']}: {found['platform']} {found['version']} on {found['provider']}")
    app.printer.line(f"  {_state(found)}")
    if found["nodes"]:
        app.printer.table([(node["name"], node["address"]) for node in found["nodes"]])
    for line in _last_run(found):
        app.printer.line(f"  {line}")
    if found["upgrade"]:
        app.printer.warn(
            recorded_upgrades.unfinished(environment.name, found["upgrade"]["from"], found["upgrade"]["to"])
        )
        app.printer.line(f"  {WAYS_ON}")
    if found["pending"]:
        app.printer.warn(f"Configured but not provisioned: {', '.join(found['pending'])}")
    if found["problem"]:
        app.printer.warn(found["problem"])
    if found["running"]:
        app.printer.warn(found["running"])


def _status(environment: Environment) -> dict:
    settled = resolve.resolve(environment)
    records = environment.audit.records()
    history = History.of(records)
    deployed = history.done.get(f"platform/{settled.platform.name}/deploy")
    created = history.done.get(f"provider/{settled.provider.name}/create")
    runs = [record for record in records if record["event"] == "run-started"]
    last = _run(records, runs[-1], environment.lock.busy_since()) if runs else None
    return {
        "name": environment.name,
        "id": settled.id,
        "path": environment.path,
        "platform": settled.platform.name,
        "provider": settled.provider.name,
        "type": settled.values.get("TYPE", ""),
        "version": settled.values.get("VERSION", ""),
        "state": _state_word(history, settled.provider.name, created, deployed, records, last),
        "deployed_version": deployed.started["parameters"].get("VERSION", "") if deployed else "",
        "since": deployed.finished["time"] if deployed else "",
        "nodes": [vars(node) for node in environment.nodes()],
        "pending": _pending(environment, settled, history, created, deployed),
        "failed_checks": sorted(history.failed_checks),
        "last_run": last,
        "upgrade": _upgrade(records),
        "problem": _problem(environment, settled),
        "running": environment.lock.holder(),
    }


def _problem(environment: Environment, settled: Config) -> str:
    """Return why no step would be run with these vars, nothing where they mean the cluster that exists."""
    try:
        require_recorded(environment, settled)
    except InvalidConfig as problem:
        return f"{problem.message} {problem.next_step}"
    return ""


def _upgrade(records) -> dict | None:
    """Return the upgrade that was begun and not finished."""
    begun = recorded_upgrades.pending(records)
    return (
        {"from": begun.start, "to": begun.to, "style": begun.style, "rollback": begun.back} if begun else None
    )


def _state_word(history: History, provider: str, created, deployed, records, last) -> str:
    if last and last["outcome"] == "running":
        return "running"
    unfinished = [
        key
        for key in history.last
        if history.unfinished(key) and key.endswith(("/create", "/install", "/deploy"))
    ]
    destroying = f"provider/{provider}/destroy" in history.last  # one that ended well leaves no history
    if not destroying and (begun := suspension.last(records)) is not None:
        return "suspended" if begun["event"] == DONE else "half-suspended"
    if unfinished or destroying:
        return "unfinished"
    if history.failed_checks:
        return "unwell"
    if deployed:
        return "deployed"
    if created:
        return "created"
    return "destroyed" if any(record["event"] == "destroyed" for record in records) else "configured"


def _pending(environment: Environment, settled, history: History, created, deployed) -> list[str]:
    """Return the names of the values that changed since the cluster was last brought up to date."""
    if not (created or deployed):
        return []
    return sorted(unprovisioned(settled, history, environment.key()))


def _run(records, started, busy_since) -> dict:
    steps = [r for r in records if r["run"] == started["run"] and r["event"] == "step-finished"]
    ends = [r for r in records if r["run"] == started["run"] and r["event"] == "run-finished"]
    return {
        "run": started["run"],
        "command": started["command"],
        "time": started["time"],
        "outcome": ends[-1]["outcome"] if ends else outcome_without_end(started, busy_since),
        "steps": [{"module": r["module"], "step": r["step"], "exit_code": r["exit_code"]} for r in steps],
    }


def _state(found: dict) -> str:
    if found["state"] == "deployed":
        return f"deployed since {_local(found['since'])}"
    if found["state"] == "unfinished" and (found["last_run"] or {}).get("command") == "destroy":
        return 'a destroy did not finish. Next: "rigger destroy" goes on, "rigger provision" makes it anew'
    return {
        "configured": 'configured, nothing made yet. Next: "rigger provision"',
        "created": 'machines made, platform not deployed. Next: "rigger provision"',
        "running": f"{(found['last_run'] or {}).get('command')} is under way",
        "unwell": f'the last check failed ({", ".join(found["failed_checks"])}). Next: "rigger check", "rigger provision"',
        "unfinished": 'a run did not finish. Next: "rigger provision" goes on, "rigger destroy" removes what there is',
        "suspended": 'suspended. Next: "rigger resume" starts it again, "rigger destroy" removes what there is',
        "half-suspended": 'a suspend did not finish. Next: "rigger suspend" goes on, "rigger resume" starts it again',
        "destroyed": 'destroyed. Next: "rigger provision" makes it anew, "rigger forget" removes its record',
    }[found["state"]]


def _last_run(found: dict) -> list[str]:
    run = found["last_run"]
    if run is None:
        return []
    steps = ", ".join(f"{s['step']}{'' if s['exit_code'] == 0 else ' failed'}" for s in run["steps"])
    return [
        f"last run: {run['command']} at {_local(run['time'])}: {run['outcome']}"
        + (f" ({steps})" if steps else "")
    ]


def _local(stamp: str) -> str:
    import calendar

    seconds = calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
