from __future__ import annotations

import pytest

from helpers.project.paths import CohortPaths
from helpers.run.plan import PlanError, load_plan, locate, predecessors, step_named


def write_plan(project, text: str) -> None:
    (project.root / "notebooks" / "pipeline.toml").write_text(text)


def test_steps_follow_what_they_read_whatever_their_order_in_the_file(project) -> None:
    write_plan(
        project,
        """
        [03_third]
        reads = ["statistics/*.csv"]
        [02_second]
        reads = ["data/patients.parquet"]
        writes = ["statistics/02_second.csv"]
        [01_first]
        reads = ["cohort/*.csv"]
        writes = ["data/patients.parquet", "statistics/01_first.csv"]
        """,
    )
    steps = load_plan()
    assert [step.name for step in steps] == ["01_first", "02_second", "03_third"]
    assert steps[2].reads == ("statistics/02_second.csv", "statistics/01_first.csv")
    assert [step.name for step in predecessors(steps[2], steps)] == ["01_first", "02_second"]


def test_alternatives_stand_for_several_files_and_notebooks_write_themselves(project) -> None:
    third = next(step for step in load_plan() if step.name == "03_third")
    assert third.writes == (
        "statistics/03_third.csv",
        "figures/panel.svg",
        "figures/panel.pdf",
        "notebooks/03_third.ipynb",
    )


def test_a_question_mark_makes_a_product_optional(project) -> None:
    first = load_plan()[0]
    assert first.optional == {"data/events.parquet"}
    assert "data/events.parquet" in first.writes


def test_first_part_of_a_path_says_where_it_lies(project) -> None:
    paths = CohortPaths.of("small")
    assert locate("cohort/patients.csv", paths) == paths.folder / "patients.csv"
    assert locate("figures/a.pdf", paths) == project.root / "figures" / "small" / "a.pdf"
    assert locate("project/data/published/a.csv", paths) == project.root / "data" / "published" / "a.csv"
    assert locate("statistics/a.csv", paths) == project.root / "results" / "small" / "statistics" / "a.csv"


def test_tables_of_a_step_are_those_it_reads_or_writes(project) -> None:
    assert step_named("02_second").tables == {"patients"}
    assert step_named("01_first").tables == {"patients", "measurements", "events"}
    assert step_named("explore") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[01_first]\nread = ['x']", "found \\['read'\\], expected only"),
        ("[01_first]\nreads = 'x'", "reads must be a list of paths"),
        ("[01_first]\nreads = ['data/none.parquet']", "reads data/none.parquet, which no other step writes"),
        ("[01_first]\nwrites = ['a.csv']\n[02_second]\nwrites = ['a.csv']", "a.csv is written by both"),
        ("[01_first]\nwrites = ['cohort/patients.csv']", "lies outside results/ and figures/"),
        ("[09_absent]", "notebooks that are not there: 09_absent"),
        ("[figure]\ncall = 'no function'", "call must read 'module:function'"),
        (
            "[01_first]\nreads = ['b']\nwrites = ['a']\n[02_second]\nreads = ['a']\nwrites = ['b']",
            "wait for each",
        ),
        ("[01_first", "not valid TOML"),
    ],
)
def test_a_plan_that_cannot_be_followed_says_why(project, text, message) -> None:
    write_plan(project, text)
    with pytest.raises(PlanError, match=message):
        load_plan()
