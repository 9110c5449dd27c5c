"""The stated speed of the response rule and the HScore."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "clinical_speed.py"


@pytest.mark.slow
def test_a_million_patient_visits_within_ten_seconds(tmp_path):
    script = tmp_path / BENCHMARK.name
    script.write_text(BENCHMARK.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
    figures = json.loads(script.with_suffix(".json").read_text(encoding="utf-8"))
    assert figures["patient_visits"] == 1_000_000
    assert figures["response_and_hscore_cpu_seconds"] < 10
