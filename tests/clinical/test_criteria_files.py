"""Criteria files: a study's own, settings, and refusal of malformed ones."""

import re
import tomllib
from importlib import resources

import pytest

from helpers.clinical.criteria_files import available_criteria
from helpers.clinical.definitions import load_criteria
from helpers.clinical.diagnosis import evaluate_by_name
from helpers.clinical.errors import ClinicalError, NothingRecordedError
from helpers.clinical.response_rules import load_response_rule
from helpers.clinical.toxicity import load_toxicity_scale

from .conftest import make_facts

OWN = """
kind = "criteria"
name = "our_ward"
version = "1"
title = "Ward rule"
source = "local agreement"

[settings]
d_dimer = { default = 5.0, standing = "unverified" }

[[items]]
id = "ferritin"
label = "Ferritin"
rule = { variable = "ferritin", op = ">", value = 2000, unit = "ug/L" }

[[items]]
id = "d_dimer"
label = "D-dimer"
rule = { variable = "d_dimer", op = ">=", value = "$d_dimer", unit = "mg/L" }

[[items]]
id = "not_afebrile"
label = "Not afebrile"
rule = { not = { variable = "fever", is = "no" } }

[[needs]]
at_least = 2
"""


def write(folder, name, text):
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return [folder]


def test_a_study_adds_its_own_criteria_without_code(tmp_path):
    folder = write(tmp_path, "our_ward", OWN)
    assert "our_ward" in available_criteria(folder)
    facts, _ = make_facts({"baseline": {"ferritin": 2001, "crp": 3}}, {"fever": False})
    facts = facts.with_column("d_dimer", [5.0, *[float("nan")] * 4], unit="ug/mL", table="measurements")
    result = evaluate_by_name("our_ward", facts, extra_directories=folder)
    assert result.frame().iloc[0][["verdict", "n_met", "not_afebrile"]].tolist() == ["met", 2, "not met"]
    stricter = evaluate_by_name("our_ward", facts, extra_directories=folder, settings={"d_dimer": 5.1})
    assert stricter.frame().iloc[0]["verdict"] == "not met"


@pytest.mark.parametrize(
    ("change", "key", "found", "expected"),
    [
        ((' op = ">",', ' op = "=>",'), r"items\[1\].rule.op", "'=>'", ">, >=, <, <=, ="),
        (
            ('unit = "ug/L"', 'unit = "g/L"'),
            r"items\[1\].rule.unit",
            "'g/L'",
            "a unit of ferritin: ng/mL, ug/L",
        ),
        (("value = 2000", 'value = "2000"'), r"items\[1\].rule.value", "'2000'", "a number"),
        (("value = 2000", "value = true"), r"items\[1\].rule.value", "True", "a number"),
        (
            ('"ferritin", op', '"feritin", op'),
            r"items\[1\].rule.variable",
            "'feritin'",
            "a variable of the vocabulary; did you mean 'ferritin'?",
        ),
        (
            ('"fever", is', '"crp", is'),
            r"items\[3\].rule.not.is",
            "'no'",
            "op, value and unit: crp is a number",
        ),
        (
            ('unit = "ug/L" }', 'unit = "ug/L", printed = { furlongs = 1 } }'),
            r"items\[1\].rule.printed.furlongs",
            "'furlongs'",
            "a unit of ferritin: ng/mL",
        ),
        (
            ('unit = "ug/L" }', 'unit = "ug/L", printed = { "mg/L" = 20 } }'),
            r"items\[1\].rule.printed.mg/L",
            "'20 mg/L'",
            "the same limit as 2000 ug/L, within 5%",
        ),
        (
            ('unit = "ug/L" }', 'unit = "x ULN", printed = { "ng/mL" = 1 } }'),
            r"items\[1\].rule.printed",
            r"\{'ng/mL': 1.0\}",
            "nothing beside a limit in x ULN",
        ),
        (("not = {", "nott = {"), r"items\[3\].rule", "'nott'", "variable with op, value and unit"),
        (("at_least = 2", "at_least = 2\nat_most = 1"), r"needs\[1\].at_least", "2", "one of the two"),
        (('source = "local agreement"', "source = 5"), "source", "5", "a text"),
        (('"$d_dimer"', '"$ddimer"'), r"items\[2\].rule.value", r"'\$ddimer'", "the name of a setting"),
        (("at_least = 2", "at_least = 4"), r"needs\[1\].at_least", "4", "a whole number from 0 to 3"),
        (('label = "Ferritin"', 'lable = "Ferritin"'), r"items\[1\].lable", "'lable'", "one of id, label"),
        (('kind = "criteria"', 'kind = "criterion"'), "kind", "'criterion'", "one of criteria, score"),
        (('name = "our_ward"', 'name = "ward"'), "name", "'ward'", "our_ward, as the file is called"),
        (('id = "d_dimer"', 'id = "ferritin"'), "items.id", "'ferritin'", "each id once"),
        (('is = "no"', 'is = "never"'), r"items\[3\].rule.not.is", "'never'", "one of yes, no"),
        (('version = "1"\n', ""), "version", "nothing", "a text"),
        (("[[needs]]\nat_least = 2", ""), "needs", "nothing", "one or more tables"),
    ],
)
def test_malformed_file_is_refused_naming_file_key_found_and_expected(tmp_path, change, key, found, expected):
    assert change[0] in OWN
    folder = write(tmp_path, "our_ward", OWN.replace(*change))
    with pytest.raises(ClinicalError) as error:
        load_criteria("our_ward", extra_directories=folder)
    message = "\n".join(error.value.problems)

    assert re.search(
        rf"our_ward\.toml, key {key}: found {found}, expected .*{re.escape(expected)}", message
    ), message


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    text = OWN.replace(' op = ">",', ' op = "=>",').replace('is = "no"', 'is = "never"')
    with pytest.raises(ClinicalError) as error:
        load_criteria("our_ward", extra_directories=write(tmp_path, "our_ward", text))
    assert len(error.value.problems) == 2


def test_unreadable_toml_names_the_file(tmp_path):
    with pytest.raises(ClinicalError, match=r"our_ward.toml: found text that is not TOML"):
        load_criteria("our_ward", extra_directories=write(tmp_path, "our_ward", "kind = ["))


def test_a_file_never_replaces_a_published_set_of_the_same_name(tmp_path):
    with pytest.raises(ClinicalError, match="another name"):
        load_criteria("hscore", extra_directories=write(tmp_path, "hscore", OWN))


def test_unknown_name_and_folder_are_told_with_what_there_is(tmp_path):
    with pytest.raises(ClinicalError, match=r"no file hscores.toml; expected one of .*hscore"):
        load_criteria("hscores")
    with pytest.raises(ClinicalError, match="not found; expected a folder"):
        load_criteria("hscore", extra_directories=[tmp_path / "none"])


def test_settings_are_checked_against_the_file():
    with pytest.raises(ClinicalError, match=r"settings.ferritin_op: found '=', expected one of >, >="):
        load_criteria("hlh_2004", settings={"ferritin_op": "="})
    with pytest.raises(ClinicalError, match=r"settings.feritin: found 500, expected one of the settings"):
        load_criteria("hlh_2004", settings={"feritin": 500})
    with pytest.raises(ClinicalError, match=r"settings.ferritin: found 'high'"):
        load_criteria("hlh_2004", settings={"ferritin": "high"})


def test_criteria_of_variables_never_recorded_are_refused(tmp_path):
    facts, _ = make_facts({"baseline": {"crp": 1}})
    with pytest.raises(NothingRecordedError, match="none of its variables was ever recorded"):
        evaluate_by_name("our_ward", facts, extra_directories=write(tmp_path, "our_ward", OWN))


def test_a_choice_of_rules_by_a_setting(tmp_path):
    heat = '{ variable = "temperature", op = ">", value = 38, unit = "Cel" }'
    fever = '{ variable = "fever", is = "yes" }'
    chosen = f'rule = {{ choose = "$way", among = {{ sign = {fever}, heat = {heat} }} }}'
    text = OWN.replace('rule = { not = { variable = "fever", is = "no" } }', chosen)
    text = text.replace(
        "[settings]", '[settings]\nway = { default = "sign", choices = ["sign", "heat", "none"] }'
    )
    folder = write(tmp_path, "our_ward", text)
    for way, rule in (("sign", "fever present"), ("heat", "temperature > 38 Cel")):
        loaded = load_criteria("our_ward", extra_directories=folder, settings={"way": way})
        assert loaded.items[2].rule.text() == rule
    with pytest.raises(
        ClinicalError, match=r"items\[3\].rule.choose: found 'none', expected one of sign, heat"
    ):
        load_criteria("our_ward", extra_directories=folder, settings={"way": "none"})


def test_weighted_items_and_steps_exclude_one_another(tmp_path):
    score = (
        OWN.replace('kind = "criteria"', 'kind = "score"\ncutoff = { op = ">=", value = 1 }')
        .replace("[[needs]]\nat_least = 2\n", "")
        .replace('rule = { variable = "ferritin", op = ">", value = 2000, unit = "ug/L" }',
                 'coefficient = 2\nvariable = "ferritin"\nunit = "stone"')
        .replace('rule = { variable = "d_dimer", op = ">=", value = "$d_dimer", unit = "mg/L" }',
                 'steps = [{ points = 2, rule = { variable = "fever", is = "yes" } }]\ncoefficient = 1')
        .replace('rule = { not = { variable = "fever", is = "no" } }', "")
    )  # fmt: skip
    with pytest.raises(ClinicalError) as error:
        load_criteria("our_ward", extra_directories=write(tmp_path, "our_ward", score))
    keys = {problem.split("key ")[1].split(":")[0] for problem in error.value.problems}
    assert keys == {"items[1].unit", "items[2].steps", "items[2].variable", "items[3].steps"}


def test_every_file_of_the_package_loads_and_states_source_and_standing():
    folder = resources.files("helpers.clinical") / "criteria"
    loaders = {
        "criteria": load_criteria, "score": load_criteria, "response": load_response_rule,
        "toxicity": load_toxicity_scale,
    }  # fmt: skip
    kinds = []
    for name in available_criteria():
        data = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        kinds.append(data["kind"])
        assert data["source"]
        assert all(setting["standing"] for setting in data.get("settings", {}).values())
        if data["kind"] in loaders:
            assert loaders[data["kind"]](name).name == name
    assert set(kinds) == set(loaders)


def test_response_rule_and_scale_files_are_checked_too(tmp_path):
    text = (resources.files("helpers.clinical") / "criteria" / "response_paper.toml").read_text(
        encoding="utf-8"
    )
    own = text.replace('name = "response_paper"', 'name = "mine"')
    folder = write(tmp_path, "mine", own)
    assert len(load_response_rule("mine", extra_directories=folder).markers) == 10
    write(tmp_path, "mine", own.replace('falls_percent = "$ferritin_fall"', "falls_percent = 130"))
    with pytest.raises(ClinicalError, match=r"markers\[2\].specific.improved.falls_percent: found 130"):
        load_response_rule("mine", extra_directories=folder)
    with pytest.raises(ClinicalError, match=r"cr_exempt: found 'feritin'"):
        load_response_rule(settings={"cr_exempt": "feritin"})
    scale = (resources.files("helpers.clinical") / "criteria" / "ctcae_v5.toml").read_text(encoding="utf-8")
    write(
        tmp_path,
        "own_scale",
        scale.replace("ctcae_v5", "own_scale").replace("[terms.grades]", "[terms.grade]", 1),
    )
    with pytest.raises(ClinicalError, match=r"terms\[1\].grade: "):
        load_toxicity_scale("own_scale", extra_directories=folder)
