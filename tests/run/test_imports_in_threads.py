"""No thread of a run imports: two that do so at the same time can break one another's imports."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.kernels.fork_server.client import PROVISIONER, PROVISIONER_VARIABLE

# In a process of its own, as one that has run other tests has everything imported. What is looked for in vain
# is no import: nothing of it is executed.
RUN = """
import io, json, sys, threading
asked = []

def audit(event, arguments):
    if event == "import" and threading.current_thread() is not threading.main_thread():
        name = arguments[0]
        if name not in sys.modules:
            asked.append((threading.current_thread().name, name))

sys.addaudithook(audit)
from rich.console import Console
from helpers.run import checking
from helpers.run.progress import RunProgress
from helpers.run.runner import run

checking.cohort_problems = lambda *_: []
console = Console(file=io.StringIO(), force_terminal=True)
report = run(["small"], progress=RunProgress(console), workers=2)
imported = [[thread, name] for thread, name in asked if sys.modules.get(name) is not None]
print(json.dumps({"statuses": [each.status for each in report.outcomes], "imported": imported}))
"""


@pytest.mark.parametrize("provisioner", [PROVISIONER, "local-provisioner"])
def test_the_main_thread_has_imported_all_that_threads_need(project, provisioner) -> None:
    project.notebook(
        "03_third", project.code('cohort = "small"\nscale = 1', "parameters"), project.code("no")
    )
    env = os.environ | {PROVISIONER_VARIABLE: provisioner}
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=env, check=True)
    assert '"statuses": ["executed", "executed", "failed"]' in done.stdout, done.stdout + done.stderr
    assert '"imported": []' in done.stdout
