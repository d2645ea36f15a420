"""The farm: every plot is a folder below the home, and a book says which there are."""

import json
import os
import shutil
import sys

from rigger import sdk

FARM = os.path.join(os.environ["HOME"], ".local", "share", "farm", os.environ["RIGGER_ENVIRONMENT_ID"])
BOOK = os.path.join(FARM, "book.json")


def book():
    try:
        with open(BOOK) as file:
            return json.load(file)
    except FileNotFoundError:
        return []


def write(plots):
    os.makedirs(FARM, exist_ok=True)
    with open(BOOK + ".new", "w") as file:
        json.dump(plots, file)
    os.replace(BOOK + ".new", BOOK)


def nodes(plots):
    return [{"name": name, "address": "127.0.0.1", "labels": {"crop": crop}} for name, crop in plots]


def install(values):
    sdk.say("nothing is needed")


def create(values):
    assert values["FARM_PASSWORD"]
    wanted = int(values["NODES"])
    plots = [plot for plot in book() if plot[0] not in os.environ["RIGGER_LEAVING"].split()]
    number = 1
    while len(plots) < wanted:
        name = f"plot-{number}"
        number += 1
        if name not in [plot[0] for plot in plots]:
            plots.append([name, values["CROP"]])
    for name, _ in book():
        if name not in [plot[0] for plot in plots]:
            shutil.rmtree(os.path.join(FARM, name), ignore_errors=True)
    write(plots)
    for name, _ in plots:
        os.makedirs(os.path.join(FARM, name), exist_ok=True)
    sdk.write_nodes(nodes(plots))
    sdk.save_vars({"FARM_BOOK": BOOK})


def check(values):
    wanted = [line.split("\t")[0] for line in open(os.environ["RIGGER_NODES_FILE"])]
    gone = [name for name in wanted if not os.path.isdir(os.path.join(FARM, name))]
    if gone:
        raise sdk.StepFailed(f"{', '.join(gone)} is gone.", "Run rigger provision.")


def audit(values):
    if any(not os.path.isdir(os.path.join(FARM, name)) for name, _ in book()):
        raise sdk.DifferencesFound("Plots are gone.")


def destroy(values):
    shutil.rmtree(FARM, ignore_errors=True)


def suspend(values):
    for name, _ in book():
        plot = os.path.join(FARM, name)
        if os.path.isdir(plot):
            os.rename(plot, plot + ".asleep")


def resume(values):
    for name, _ in book():
        plot = os.path.join(FARM, name)
        if os.path.isdir(plot + ".asleep"):
            os.rename(plot + ".asleep", plot)
    sdk.write_nodes(nodes(book()))


def leaving(values):
    for name, _ in book()[: max(0, len(book()) - int(values["NODES"]))]:
        print(name)


def existing(values):
    for name, _ in book():
        print(name, "127.0.0.1", "-", "0", "-", "-", sep="\t")


sys.exit(sdk.run(globals()[sys.argv[1]]))
