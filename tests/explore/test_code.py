"""The code under a view makes the same view: the same numbers and the same bytes of its figure, elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

from helpers.errors import CompendiumError
from helpers.explore.controls import PANELS, parameters_of
from helpers.explore.look import code_of
from helpers.explore.parts import Patients
from helpers.explore.study import ExplorationError, Study
from helpers.explore.survival import survival

RUNNER = """
import hashlib, json, sys
for code in json.load(sys.stdin):
    space = {}
    exec(code, space)
    look = space["look"]
    print(hashlib.sha256(look.png).hexdigest(), hashlib.sha256(look.numbers.to_csv().encode()).hexdigest(),
          hashlib.sha256(look.table.to_csv().encode()).hexdigest(), look.code == code)
"""


def random_values(study: Study, controls: list[Any], rng: random.Random) -> dict[str, Any]:
    """Values for some of the controls, as somebody who tries things out would choose them."""
    values: dict[str, Any] = {}
    for control in rng.sample(controls, k=min(len(controls), rng.randint(0, 4))):
        if control.kind == "choice":
            values[control.name] = rng.choice(control.options)[1] if control.options else control.value
        elif control.kind == "several":
            count = rng.randint(0, min(3, len(control.options)))
            values[control.name] = tuple(one[1] for one in rng.sample(control.options, count))
        elif control.kind == "tick":
            values[control.name] = rng.random() < 0.5
        elif control.kind == "whole":
            values[control.name] = rng.randint(int(control.low), int(min(control.high, 90)))
        elif control.kind == "slide":
            steps = int((control.high - control.low) / control.step)
            chosen = control.low + control.step * rng.randint(0, steps)
            values[control.name] = type(control.value)(chosen)
        else:
            values[control.name] = rng.choice(["", "0.4", "40", "1500"])
    return values


def digests(look: Any) -> list[str]:
    parts = (look.png, look.numbers.to_csv().encode(), look.table.to_csv().encode())
    return [hashlib.sha256(part).hexdigest() for part in parts]


def test_code_run_in_another_process_makes_the_same_figure_and_numbers(study: Study) -> None:
    rng = random.Random(21)
    codes, expected = [], []
    for spec in PANELS:
        values: dict[str, Any] = {}
        while True:  # the first choice at random that can be shown
            parameters = parameters_of(spec, study, values)
            try:
                look = spec.show(study, **parameters)
                break
            except CompendiumError:
                values = random_values(study, spec.controls(study), rng)
        values = random_values(study, spec.controls(study), rng) | {"accept_few": True}
        with suppress(CompendiumError):
            look = spec.show(study, **parameters_of(spec, study, values))
        codes.append(look.code)
        expected.append([*digests(look), "True"])
    environment = dict(os.environ) | {"PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps(codes), capture_output=True, text=True, check=False,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == expected


def test_what_is_as_usual_is_not_in_the_code(study: Study) -> None:
    assert survival(study).code == (
        "from helpers.explore.study import open_study\n"
        "from helpers.explore.survival import survival\n\n"
        "study = open_study('rdmas_reconstructed')\nlook = survival(study)\nlook\n"
    )


def test_code_of_long_choices_is_code(study: Study) -> None:
    patients = Patients(split_by="ferritin", cut=1500.0, without=tuple(study.patients[:30]), accept_few=True)
    code = code_of(survival, study.cohort, {"patients": patients})
    compile(code, "cell", "exec")
    space: dict[str, Any] = {"Patients": Patients}
    call = code.split("patients=", 1)[1].rsplit(",\n)", 1)[0]
    assert eval(call, space) == patients


def test_what_cannot_be_written_down_is_refused(study: Study) -> None:
    with pytest.raises(ExplorationError, match="cannot be written down as code"):
        survival(study, horizon_days=object())
