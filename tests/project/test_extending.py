"""A study's own words and rules, from raw files to table: its own files, no code, no file of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.analysis.baseline import compare_baseline, count_prior_therapies
from helpers.analysis.diagnosis import describe_diagnoses, diagnose
from helpers.analysis.endpoints import analyse_endpoints
from helpers.analysis.laboratory import describe_course
from helpers.analysis.response import count_responses
from helpers.analysis.safety import count_adverse_events
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort, inputs_digest
from helpers.cohort.config import load_config
from helpers.cohort.data_page import data_readme
from helpers.cohort.installed import language_names, missing_phrases
from helpers.report.tables.baseline import baseline_table
from helpers.report.tables.clinical import criteria_table
from helpers.report.tables.course import course_table
from helpers.report.tables.endpoints import endpoints_table
from helpers.report.tables.response import response_table
from helpers.report.text.wording import Wording
from helpers.results.catalogue import BaselineRows, EndpointRows, ResponseRows
from helpers.results.store import StatisticsStore
from helpers.stats import group_tests
from helpers.stats.result import Result

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "helpers"
PRIOR = "baseline.prior_therapies"

FILES = {
    "cohort.toml": """\
title = "A study of its own"
provenance = "synthetic"
study_drug = "filapixant"

[[group]]
id = "treated"
label = "Treated"
role = "treated"
day0 = "first dose"

[[group]]
id = "control"
label = "Control"
role = "reference"
day0 = "diagnosis of refractory disease"

[follow_up]
horizon_days = 56

[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]

[[visit]]
id = "week_1"
label = "Week 1"
day = 7
window = [4, 10]

[baseline]
variables = ["age", "biopsy", "stage", "cxcl9", "scd25", "prior_defibrotide", "prior_jak_inhibitor"]
prior_therapies = ["defibrotide", "jak_inhibitor", "glucocorticoid"]

[course]
variables = ["cxcl9", "scd25"]

[criteria]
diagnosis = ["interferon"]
""",
    "variables.csv": """\
name,label,label_zh,table,type,unit,units,levels,plausible_low,plausible_high,direction,decimals,skewed,aliases
cxcl9,"CXCL9, pg/mL","CXCL9，pg/mL",measurements,number,pg/mL,ng/mL:1000,,1,1000000,high,0,yes,mig|趋化因子9
scd25,,,,,,pg/mL:0.1,,,,,,,
biopsy,Bone marrow biopsy,骨髓活检,patients,yes_no,,,,,,,,,
stage,Stage,分期,patients,category,,,I|II|early:I,,,,,,
""",
    "drugs.csv": """\
name,label,label_zh,class,aliases,prednisone_5_mg
filapixant,Filapixant,菲拉匹坦,other,,
paramethasone,Paramethasone,帕拉米松,glucocorticoid,,2
defibrotide,Defibrotide,去纤苷,other,defitelio,
""",
    "terms.csv": """\
name,label,label_zh,category,aliases
crs,cytokine release syndrome,细胞因子释放综合征,general,CRS
""",
    "ranges.csv": "variable,sex,low,high,unit\ncxcl9,female,,0.2,ng/mL\ncxcl9,male,,0.3,ng/mL\n",
    "criteria/interferon.toml": """\
kind = "criteria"
name = "interferon"
version = "1"
title = "CXCL9 of 10 ng/mL or more"
source = "our protocol"

[[items]]
id = "cxcl9"
label = "CXCL9 >= 10 ng/mL"
rule = { variable = "cxcl9", op = ">=", value = 10, unit = "ng/mL" }

[[needs]]
at_least = 1
""",
    "patients.csv": """\
patient_id,group,age,sex,weight_kg,last_contact_day,death_day,biopsy,stage
T1,treated,31,male,60,100,,yes,I
T2,treated,32,female,60,100,,no,early
T3,treated,33,male,60,100,,,II
C1,control,34,female,60,100,,是,II
C2,control,35,male,60,40,40,no,I
C3,control,36,female,60,100,,no,II
""",
    "measurements.csv": """\
patient_id,day,variable,value,unit
T1,0,MIG,12000,pg/mL
T2,0,趋化因子9,10,ng/mL
T3,0,cxcl9,9.9,ng/mL
C1,0,cxcl9,9900,pg/mL
C2,0,cxcl9,>20,ng/mL
C3,0,cxcl9,800,pg/mL
T1,7,cxcl9,0.5,ng/mL
T1,0,sIL-2R,24000,pg/mL
C1,0,scd25,2500,U/mL
""",
    "treatments.csv": """\
patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day
T1,菲拉匹坦,0,20,10,mg,po,1
T1,Defitelio,-9,-5,,,,
T1,帕拉米松,-3,5,4,mg,po,1
C1,Baricitinib,-20,-10,4,mg,po,1
C2,some herbal tea,-20,,,,,
""",
    "events.csv": """\
patient_id,day,term,grade
T1,5,细胞因子释放综合征,2
T2,6,crs,1
C1,7,贫血,1
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own")
    write(path, FILES)
    return path


def write(path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def stored(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    config, tables = load_config(folder), clean_cohort(folder)
    store = StatisticsStore(tmp_path_factory.mktemp("statistics"), "test")
    common = {"horizon_days": 56, "confidence": 0.95}
    variables = compare_baseline(tables, config, store, seed=1, **common)
    followed = describe_course(tables, config, store, confidence=0.95)
    found = diagnose(tables, config, folder)
    describe_diagnoses(found, config, store, confidence=0.95)
    count_prior_therapies(tables, config, store)
    count_adverse_events(tables, config, store, confidence=0.95, horizon_days=56)
    return config, tables, store.rows(), variables, followed, found


def test_check_finds_nothing_but_the_unknown_drug(folder: Path) -> None:
    (problem,) = check_cohort(folder)
    assert (problem.file, problem.row, problem.severity) == ("treatments.csv", 6, "warning")
    assert "some herbal tea" in problem.found


def test_values_of_the_new_variable_and_in_the_new_unit_are_converted(stored) -> None:
    _, tables, *_ = stored
    rows = tables.measurements.set_index(["patient_id", "variable", "day"])
    assert rows.loc[("T2", "cxcl9", 0), ["value", "unit", "recorded_value", "recorded_unit"]].tolist() == [
        10000, "pg/mL", 10, "ng/mL",
    ]  # fmt: skip
    assert rows.loc[("T1", "scd25", 0), "value"] == 2400
    assert rows.loc[("C2", "cxcl9", 0), "qualifier"] == ">"


def test_every_drug_is_kept_and_the_own_glucocorticoid_counts(stored) -> None:
    _, tables, *_ = stored
    assert set(tables.treatments["drug"]) == {
        "filapixant", "defibrotide", "paramethasone", "baricitinib", "some herbal tea",
    }  # fmt: skip
    dose = tables.doses.set_index(["patient_id", "day"]).loc[("T1", 0), "prednisone_mg"]
    assert dose == 4 * 5 / 2
    people = tables.patients.set_index("patient_id")
    assert people.index[people["prior_defibrotide"]].tolist() == ["T1"]
    assert people.index[people["prior_jak_inhibitor"]].tolist() == ["C1"]
    assert people.index[people["prior_glucocorticoid"]].tolist() == ["T1"]


def test_table_1_and_the_course_show_them_with_their_labels(stored) -> None:
    config, _, statistics, variables, followed, _ = stored
    assert followed == ["cxcl9", "scd25"]
    table = baseline_table(statistics, variables, config, watermark="")
    text = str([[str(cell) for cell in row.cells] for row in table.rows])
    for label in ("CXCL9, pg/mL", "Bone marrow biopsy", "Stage", "Prior defibrotide", "Prior JAK inhibitor"):
        assert label in text, label
    course = course_table(statistics, config, followed, watermark="")
    assert "CXCL9, pg/mL" in str([[str(cell) for cell in row.cells] for row in course.rows])


def test_the_criterion_is_compared_in_the_unit_that_was_measured(stored) -> None:
    config, _, statistics, _, _, found = stored
    verdicts = found.verdicts.set_index("patient_id")["interferon"].to_dict()
    assert verdicts == {
        "T1": "met", "T2": "met", "T3": "not met", "C1": "not met", "C2": "met", "C3": "not met",
    }  # fmt: skip
    table = criteria_table(statistics, found, config, watermark="")
    assert "CXCL9 of 10 ng/mL or more" in str([[str(cell) for cell in row.cells] for row in table.rows])


def test_event_terms_of_both_languages_are_one(stored) -> None:
    _, tables, statistics, *_ = stored
    assert tables.events["term"].tolist() == ["cytokine release syndrome"] * 2 + ["anaemia"]
    assert statistics.select(variable="cytokine_release_syndrome", group="treated")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("CXCL9, pg/mL", "CXCL9，pg/mL"),
        ("Bone marrow biopsy", "骨髓活检"),
        ("Prior defibrotide", "既往去纤苷"),
        ("cytokine release syndrome", "细胞因子释放综合征"),
        ("Filapixant", "菲拉匹坦"),
    ],
)
def test_chinese_texts_use_the_own_labels(stored, english: str, chinese: str) -> None:
    assert Wording.of("zh", stored[0]).term(english) == chinese


def test_the_page_of_all_words_names_them(stored) -> None:
    page = data_readme(stored[0].vocabulary)
    for word in (
        "| cxcl9 |",
        "| biopsy |",
        "| filapixant |",
        "| cytokine release syndrome |",
        "female – 200",
    ):
        assert word in page, word


def test_tables_are_derived_anew_when_a_word_changes(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    before = inputs_digest(tmp_path)
    assert before == inputs_digest(folder)
    write(tmp_path, {"variables.csv": FILES["variables.csv"].replace("pg/mL:0.1", "pg/mL:0.113")})
    assert inputs_digest(tmp_path) != before
    scd25 = clean_cohort(tmp_path).measurements.query("variable == 'scd25' and patient_id == 'T1'")
    assert scd25["value"].tolist() == [2712]


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        ("variables.csv", "pg/mL:0.1", "kU/L:3", (3, "units", "the factor 3 for kU/L")),
        ("variables.csv", "ng/mL:1000", "ng/mL:many", (2, "units", "unit 'ng/mL:many'")),
        ("variables.csv", "cxcl9,", "CXCL-9,", (2, "name", "'CXCL-9'")),
        ("variables.csv", "patients,yes_no", "patients,boolean", (4, "type", "'boolean'")),
        ("variables.csv", "patients,category", "visits,category", (5, "table", "'visits'")),
        ("variables.csv", "I|II|early:I", "", (5, "levels", "nothing")),
        ("variables.csv", "mig|", "crp|", (2, "aliases", "the spelling 'crp' of crp and of cxcl9")),
        ("variables.csv", "1,1000000", "9,3", (2, "plausible_high", "'3'")),
        ("drugs.csv", "glucocorticoid,,2", "glucocorticoid,,", (3, "prednisone_5_mg", "nothing")),
        ("drugs.csv", "glucocorticoid,,2", "steroid,,2", (3, "class", "'steroid'")),
        ("drugs.csv", "defitelio", "etoposide", (4, "aliases", "the spelling 'etoposide' of")),
        ("terms.csv", "general,CRS", "general,贫血", (2, "aliases", "the spelling '贫血' of")),
        ("ranges.csv", "0.2,ng/mL", "0.2,furlongs", (2, "unit", "'furlongs'")),
        ("ranges.csv", "cxcl9,female", "cxl9,female", (2, "variable", "'cxl9'")),
        ("terms.csv", "name,label,", "name,lable,", (1, "lable", "an unknown column")),
        ("cohort.toml", '["defibrotide"', '["defibrotid"', (None, PRIOR, "'defibrotid'")),
    ],
)  # fmt: skip
def test_every_fault_of_an_own_file_is_named(tmp_path: Path, file, old, new, wanted) -> None:
    text = FILES[file].replace(old, new, 1)
    assert text != FILES[file]
    write(tmp_path, {**FILES, file: text})
    named = [(p.file, p.row, p.column, p.found) for p in check_cohort(tmp_path) if p.severity == "error"]
    row, column, found = wanted
    assert [one for one in named if one[:3] == (file, row, column) and one[3].startswith(found)], named


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """A copy of the package to which files are added."""
    root = tmp_path_factory.mktemp("package")
    shutil.copytree(SOURCE, root / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def said(package: Path, code: str) -> str:
    """What a program prints that finds the copied package."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=dict(os.environ) | {"PYTHONPATH": str(package)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


def a_cohort(root: Path, *, language: str = "en", journal: str = "generic") -> Path:
    """The study of this module with settings of its report."""
    folder = root / f"{language}_{journal}"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with (folder / "cohort.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[report]\nlanguage = "{language}"\njournal = "{journal}"\n')
    return folder


CHECKED = """
from helpers.cohort.check import check_cohort
for problem in check_cohort({folder!r}):
    print(problem)
"""


def test_a_journal_is_one_file(package: Path, tmp_path: Path) -> None:
    text = (SOURCE / "report/journals/generic.toml").read_text(encoding="utf-8")
    text = text.replace("single = 85", "single = 80").replace('marks = "letters"', 'marks = "symbols"')
    own = text.replace('title = "No journal in particular"', 'title = "Annals"')
    assert "annals" in str(check_cohort(a_cohort(tmp_path, journal="annals"))[0])
    (package / "helpers/report/journals/annals.toml").write_text(own, encoding="utf-8")
    lines = said(package, CHECKED.format(folder=str(tmp_path / "en_annals"))).splitlines()
    assert not any("annals" in line for line in lines)
    code = """
from helpers.report.journals.requirements import journal_named
from helpers.report.journals.table_themes import theme_named
print(journal_named("annals").title, journal_named("annals").single, theme_named("annals").mark(0))
"""
    assert said(package, code).split() == ["Annals", "80.0", "*"]


SENTENCE = r"(?<=[a-z)}]\. )"


def marked(text: str) -> str:
    """Every phrase of a language file with a mark, so that a phrase of another language shows."""
    lines = []
    for line in text.splitlines():
        phrase = re.fullmatch(r'((?:"[^"]+"|\w+) = )"(.+)"(.*)', line)
        if phrase:
            line = f'{phrase[1]}"~{re.sub(SENTENCE, "~", phrase[2])}"{phrase[3]}'
        lines.append(line)
    return "\n".join(lines)


def test_a_language_is_one_folder_and_says_what_it_lacks(package: Path, tmp_path: Path) -> None:
    own = package / "helpers/report/text/xx"
    shutil.copytree(SOURCE / "report/text/en", own)
    for name in ("claims.toml", "methods.toml"):
        text = marked((own / name).read_text(encoding="utf-8"))
        (own / name).write_text(text, encoding="utf-8")
    (own / "terms.toml").write_text('[terms]\n"Ruxolitinib" = "~RUX"\n', encoding="utf-8")
    folder = a_cohort(tmp_path, language="xx")
    assert "xx" not in said(package, CHECKED.format(folder=str(folder)))
    code = f"""
from pathlib import Path
from helpers.report.text.blocks import Paragraph
from helpers.report.text.document import build_document
from helpers.report.text.material import Study
from helpers.report.text.wording import Wording
root, name = Path({str(ROOT)!r}), "rdmas_reconstructed"
study = Study.open(root / "data/cohorts" / name, root / "results" / name, root / "figures" / name)
for block in build_document(study, Wording.of("xx", study.config)).blocks:
    if isinstance(block, Paragraph):
        text = str(block.text).replace(chr(10), " ")
        for own in (study.config.data_note, study.config.source):  # the cohort's, in whatever language
            text = text.replace(own, "own words")
        print(text)
"""
    paragraphs = [line for line in said(package, code).splitlines() if line.startswith("~")]
    assert len(paragraphs) > 20
    assert any("~RUX" in line for line in paragraphs)
    for line in paragraphs:
        sentences = [one for one in re.split(SENTENCE, line) if one]
        assert all(one.startswith("~") for one in sentences), line

    claims = (own / "claims.toml").read_text(encoding="utf-8")
    (own / "claims.toml").write_text(re.sub(r'"flow.patients" = .*\n', "", claims, count=1), encoding="utf-8")
    (own / "checklists.toml").unlink()
    lines = [
        line for line in said(package, CHECKED.format(folder=str(folder))).splitlines() if "/xx/" in line
    ]
    assert any(line.startswith("report/text/xx/checklists.toml: found no such file") for line in lines)
    assert any(line.startswith("report/text/xx/claims.toml flow.patients: found nothing") for line in lines)


NOTEBOOK = (
    ("markdown", "# 10. Sex\n\n**How many of the patients were women?**"),
    ("parameters", 'cohort = "rdmas_reconstructed"\nhorizon_days = None\nconfidence = 0.95'),
    (
        "code",
        (
            "from helpers.report.figures.women import draw_women, women_table\n"
            "from helpers.run.workspace import open_cohort\n"
            "from helpers.stats.proportions import proportion_interval\n\n"
            'study = open_cohort(cohort, "10_sex", horizon_days=horizon_days, confidence=confidence)\n'
            "tables, config, store = study.tables, study.config, study.store\n"
            'women = int((tables.patients["sex"] == "female").sum())\n'
            "share = proportion_interval(women, len(tables.patients), confidence=confidence)\n"
            'store.add("women", "sex", "share", result=share)\n'
            "store.write()\n"
            "statistics = study.statistics()"
        ),
    ),
    ("code", "study.show(draw_women, statistics)"),
    ("code", "study.show(women_table, statistics)"),
)
PLAN = """
[10_sex]
reads = ["data/patients.parquet"]
writes = [
    "statistics/10_sex.csv",
    "tables/table_s90_women.{csv,html,json}",
    "figures/figure_s90_women.{pdf,svg,png,tiff}",
    "data/recipes/figure_s90_women.json",
]
"""
KINDS = """

class WomenRows(Analysis, name="women", title="Women", title_zh="女性"):
    \"\"\"Women.\"\"\"

    share: ClassVar[Key]
"""
EXHIBITS = '''"""The share of women."""

from __future__ import annotations

from helpers.report.figures.output.exhibits import figure
from helpers.report.tables.cells import estimate_interval
from helpers.report.tables.content import row
from helpers.report.tables.table import Table
from helpers.report.text.added import adds_to
from helpers.report.text.claims import Claim, Material, Row
from helpers.results.catalogue_participants import WomenRows
from helpers.results.store import Statistics


@figure("figure_s90_women", "single", 50, "Share of women", needs=WomenRows)
def draw_women(container, statistics: Statistics) -> None:
    """Draw the share with its interval."""
    found = statistics[WomenRows.share.id("sex")]
    axes = container.subplots()
    axes.plot([100 * found.lower, 100 * found.upper], [0, 0])
    axes.plot([100 * found.value], [0], "o")
    axes.set_xlabel("Women (%)")


def women_table(statistics: Statistics, *, watermark: str) -> Table:
    """Return the share."""
    found = statistics[WomenRows.share.id("sex")]
    rows = [row("Women, %", estimate_interval(found, 1, scale=100))]
    return Table("table_s90_women", "Women among the patients", ["", "Share (95% CI)"], rows, [], watermark)


@adds_to("results.patients")
def women(material: Material) -> list[Claim]:
    """The share of women."""
    found = material.statistics.find(WomenRows.share, "sex")
    return [Claim("women.share", {"share": Row(found, 2)})] if found else []
'''
WORDS = {
    "en": ("The share of women was {share}.", "Women: share with its interval.", "Women among the patients"),
    "zh": ("女性所占比例为{share}。", "女性：比例及其区间。", "患者中的女性"),
}


def append(path: Path, text: str) -> None:
    """Add text at the end of a file, or make it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def a_notebook_in_six_files(project: Path) -> list[Path]:
    """Add a notebook with statistic, figure, table and sentence in two languages; return the files."""
    cells = [
        {"cell_type": "markdown" if kind == "markdown" else "code", "id": f"cell-{number}", "source": text,
         "metadata": {"tags": ["parameters"]} if kind == "parameters" else {},
         **({} if kind == "markdown" else {"outputs": [], "execution_count": None})}
        for number, (kind, text) in enumerate(NOTEBOOK)
    ]  # fmt: skip
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    helpers = project / "src/helpers"
    texts = {
        project / "notebooks/10_sex.ipynb": json.dumps(notebook),
        project / "notebooks/pipeline.toml": PLAN,
        helpers / "results/catalogue_participants.py": KINDS,
        helpers / "report/figures/women.py": EXHIBITS,
    }
    for language, (said, legend, title) in WORDS.items():
        path = helpers / f"report/text/{language}/claims.toml"
        lines = [f'"women.share" = "{said}"', f'"legend.figure_s90_women" = "{legend}"',
                 f'"title.table_s90_women" = "{title}"']  # fmt: skip
        path.write_text("\n".join(lines) + "\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
        texts[path] = ""
    for path, text in texts.items():
        append(path, text)
    return list(texts)


@pytest.mark.slow
def test_a_notebook_with_all_that_belongs_to_it_is_six_files(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("src", "notebooks", "data", "docs"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "uv.lock", "README.md"):
        shutil.copy(ROOT / name, project / name)
    assert len(a_notebook_in_six_files(project)) == 6
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COMPENDIUM_")}
    code = "from helpers.commands.cli import app; app()"
    out = tmp_path / "out"
    run = subprocess.run(
        [sys.executable, "-c", code, "run", "rdmas_reconstructed", "--output", str(out)],
        cwd=project, env=environment | {"PYTHONPATH": str(project / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    results = out / "results/rdmas_reconstructed"
    report = (results / "report.html").read_text(encoding="utf-8")
    documents = []
    for name in ("manuscript", "supplement"):
        with zipfile.ZipFile(results / f"{name}.docx") as archive:
            documents.append(re.sub("<[^>]+>", "", archive.read("word/document.xml").decode()))
    sentence, legend, title = (
        "The share of women was", "Women: share with its interval.", "Women among the patients",
    )  # fmt: skip
    assert sentence in documents[0]
    for text in (re.sub("<[^>]+>", "", report), documents[1]):
        assert legend in text
        assert title in text
    code = f"""
from pathlib import Path
from helpers.report.text.blocks import FigureBlock, Paragraph, TableBlock
from helpers.report.text.document import build_report
from helpers.report.text.material import Study
from helpers.report.text.wording import Wording
root = Path({str(out)!r})
study = Study.open(Path({str(project)!r}) / "data/cohorts/rdmas_reconstructed",
                   root / "results/rdmas_reconstructed", root / "figures/rdmas_reconstructed")
for block in build_report(study, Wording.of("zh", study.config)).blocks:
    if isinstance(block, Paragraph):
        print(block.text)
    elif isinstance(block, FigureBlock):
        print(block.legend)
    elif isinstance(block, TableBlock):
        print(block.title)
"""
    chinese = said(project / "src", code)
    for words in ("女性所占比例为", "女性：比例及其区间。", "患者中的女性"):
        assert words in chinese


def test_no_installed_language_lacks_a_phrase() -> None:
    assert [str(problem) for language in language_names() for problem in missing_phrases(language)] == []
    assert {"en", "zh"} <= set(language_names())


OWN_OUTCOMES = """
[[response.level]]
id = "deep"
label = "Deep remission"
responds = true
raw_labels = ["A"]

[[response.level]]
id = "shallow"
label = "Shallow remission"
responds = false
raw_labels = ["B"]

[[endpoint]]
id = "crs"
label = "Cytokine release syndrome"
terms = ["cytokine release syndrome"]

[[endpoint]]
id = "remission"
label = "Remission"
response = "gain"
"""
CALLS = "patient_id,day,response\nT1,7,A\nT2,7,B\nC1,7,deep\n"


def test_endpoints_and_levels_of_response_are_those_of_the_cohorts_own_file(tmp_path: Path) -> None:
    toml = FILES["cohort.toml"].replace("\n[baseline]\n", f"\n{OWN_OUTCOMES}\n[baseline]\n", 1)
    folder = tmp_path / "own"
    folder.mkdir()
    write(folder, FILES | {"cohort.toml": toml, "responses.csv": CALLS})
    config, tables = load_config(folder), clean_cohort(folder)
    assert [level.label for level in config.response_levels] == ["Deep remission", "Shallow remission"]
    store = StatisticsStore(tmp_path, "test")
    count_responses(tables, config, store, confidence=0.95)
    analyse_endpoints(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
    rows = store.rows()
    assert rows[ResponseRows.named("deep").id("class", group="treated", timepoint="week_1")].value == 1
    assert rows[ResponseRows.named("shallow").id("class", group="treated", timepoint="week_1")].value == 1
    events = {
        name: rows[EndpointRows.events.id(name, group="treated", timepoint="day_56")].value
        for name in ("crs", "remission")
    }
    assert events == {"crs": 2, "remission": 1}
    table = str(endpoints_table(rows, config, watermark=""))
    assert "Cytokine release syndrome" in table
    assert "Visit\tdeep\tshallow\tDied" in str(response_table(rows, config, watermark=""))


def test_a_test_is_one_function_and_one_line(tmp_path: Path) -> None:
    before = dict(group_tests._TESTS)
    try:

        @group_tests.group_test("sign_of_means", "continuous")
        def sign_of_means(x, y, *, seed=0):  # the one function, with its one line
            return Result(
                method="sign of the difference of means", value=1.0, p_value=0.25, n=len(x) + len(y)
            )

        toml = FILES["cohort.toml"] + '\n[tests.variables]\nage = "sign_of_means"\n'
        folder = tmp_path / "own"
        folder.mkdir()
        write(folder, FILES | {"cohort.toml": toml})
        config, tables = load_config(folder), clean_cohort(folder)
        store = StatisticsStore(tmp_path, "test")
        variables = compare_baseline(tables, config, store, seed=1, horizon_days=56, confidence=0.95)
        row = store.rows()[BaselineRows.test.id("age", group="both", timepoint="baseline")]
        assert (row.p_value, row.method) == (0.25, "sign of the difference of means")
        assert (
            "Sign of the difference of means"
            in baseline_table(store.rows(), variables, config, watermark="").to_csv()
        )
    finally:
        group_tests._TESTS.clear()
        group_tests._TESTS.update(before)
    assert any("sign_of_means" in str(problem) for problem in check_cohort(folder))
