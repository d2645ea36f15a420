"""rigger list"""

from rigger.cli.app import App, command
from rigger.configuration.identity import require_modules_named
from rigger.environments.environment import Environment
from rigger.errors import RiggerError


@command("list", reports=True)
def list(app: App):
    current = app.home.current_name()
    rows = [_describe(app.home.at(name), name == current) for name in app.home.names()]
    if app.json:
        app.printer.report(rows)
    elif not rows:
        app.printer.line('There is no environment yet. Type "rigger configure" to make one.')
    else:
        app.printer.table(
            [
                (
                    "*" if r["current"] else "",
                    r["name"],
                    r["platform"],
                    r["version"],
                    r["provider"],
                    str(r["nodes"]),
                )
                for r in rows
            ],
            headers=("", "name", "platform", "version", "provider", "nodes"),
        )
        for row in rows:
            if "problem" in row:
                app.printer.warn(row["problem"])


def _describe(environment: Environment, current: bool) -> dict:
    row = {"name": environment.name, "current": current, "path": environment.path}
    try:
        vars = environment.vars()
        require_modules_named(environment, vars)
        nodes = len(environment.nodes())
    except RiggerError as problem:
        return {
            **row,
            "platform": "?",
            "version": "?",
            "provider": "?",
            "nodes": "?",
            "problem": f"{problem.message} {problem.next_step}".rstrip(),
        }
    known = {key: vars.get(key.upper(), "") for key in ("platform", "version", "provider", "type")}
    return {**row, **known, "nodes": nodes}
