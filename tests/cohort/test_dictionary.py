import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort.dictionary import (
    DICTIONARY_PATH,
    MEASUREMENT_COLUMNS,
    TABLE_NAMES,
    DictionaryError,
    convert_units,
    load_dictionary,
    normalise_unit,
)
from helpers.cohort.guide import README_PATH, data_readme

DICTIONARY = load_dictionary()
CONVERSIONS = [
    (name, unit) for name, v in DICTIONARY.variables.items() if v.type == "number" for unit in v.unit_names
]
COLUMNS = (
    "name,label,label_zh,table,type,unit,accepted_units,plausible_low,plausible_high,reference_low,"
    "reference_high,direction,decimals,skewed,aliases,adam,source"
)


def test_file_has_the_agreed_columns_and_fields():
    with DICTIONARY_PATH.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    assert rows[0] == COLUMNS.split(",")
    assert {len(row) for row in rows} == {17}


def test_canonical_names_are_all_there():
    measured = (
        "temperature leucocytes neutrophils platelets hemoglobin ast alt ldh fibrinogen triglycerides "
        "ferritin crp esr scd25 bilirubin creatinine albumin splenomegaly weight_kg"
    )
    people = (
        "age sex diagnosis weight_kg fever splenomegaly hepatomegaly lymphadenopathy rash arthralgia "
        "sore_throat hemophagocytosis known_immunosuppression nk_activity_low ana_or_rf_positive"
    )
    drugs = (
        "ruxolitinib dexamethasone methylprednisolone prednisone prednisolone hydrocortisone cortisone "
        "triamcinolone betamethasone deflazacort ivig etoposide tocilizumab tacrolimus ciclosporin"
    )
    assert set(measured.split()) <= set(DICTIONARY.measured)
    assert set(people.split()) <= set(DICTIONARY.columns("patients"))
    assert set(drugs.split()) <= set(DICTIONARY.drugs)
    assert set(MEASUREMENT_COLUMNS) == set(DICTIONARY.columns("measurements"))


@pytest.mark.parametrize("variable", DICTIONARY.variables.values(), ids=lambda v: v.name)
def test_row_is_consistent(variable):
    assert set(variable.tables) <= set(TABLE_NAMES)
    assert variable.label
    assert variable.label_zh
    assert variable.type in {"id", "number", "yes_no", "category", "text", "day", "date", "drug"}
    assert variable.direction in {"", "high", "low", "both"}
    for low, high in [
        (variable.plausible_low, variable.plausible_high),
        (variable.reference_low, variable.reference_high),
    ]:
        assert low is None or high is None or low < high
    if variable.reference_high is not None:
        assert variable.plausible(np.array([variable.reference_high])).all()
    if variable.name in DICTIONARY.measured:
        assert variable.unit
        assert variable.source
    if variable.type in ("category", "yes_no"):
        assert {level.casefold() for level in variable.levels.values()} <= set(variable.levels)


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_no_spelling_means_two_columns_of_a_table(table):
    names = DICTIONARY.columns(table)
    assert_distinct(names)


def test_no_spelling_means_two_variables_or_two_drugs():
    assert_distinct(DICTIONARY.measured)
    assert_distinct(DICTIONARY.drugs)


def assert_distinct(names):
    seen = {}
    for name in names:
        for spelling in {s.casefold() for s in (name, *DICTIONARY[name].aliases)}:
            assert seen.setdefault(spelling, name) == name, f"{spelling} means {seen[spelling]} and {name}"


@pytest.mark.parametrize(
    ("variable", "unit", "value", "expected"),
    [
        ("triglycerides", "mg/dL", 265, 2.9945),
        ("hemoglobin", "g/dL", 9.2, 92.0),
        ("fibrinogen", "mg/dL", 360, 3.6),
        ("ferritin", "µg/L", 500, 500),
        ("platelets", "/uL", 110000, 110),
        ("platelets", "×10⁹/L", 25, 25),
        ("neutrophils", "10*3/µL", 0.5, 0.5),
        ("leucocytes", "10E9/l", 5, 5),
        ("bilirubin", "mg/dl", 1, 17.1),
        ("crp", "mg/dL", 3, 30),
        ("temperature", "°F", 101.3, 38.5),
        ("temperature", "℃", 38.5, 38.5),
        ("scd25", "kU/L", 2400, 2400),
    ],
)
def test_conversions_of_the_specification(variable, unit, value, expected):
    converted = DICTIONARY[variable].convert(np.array([value]), unit)
    assert converted == pytest.approx([expected], abs=1e-9)


@pytest.mark.parametrize(("variable", "unit"), [("scd25", "pg/mL"), ("ferritin", "stone"), ("platelets", "")])
def test_unlisted_unit_is_never_converted(variable, unit):
    assert DICTIONARY[variable].conversion(unit) is None
    with pytest.raises(ValueError, match="not accepted"):
        DICTIONARY[variable].convert(np.array([1.0]), unit)


def test_conversion_gives_exact_thresholds():
    # 9.2 g/dL is a threshold of the HScore; 92.00000000000001 would miss it.
    assert DICTIONARY["hemoglobin"].convert(np.array([9.2, 0.57, 11.1]), "g/dL").tolist() == [
        92.0,
        5.7,
        111.0,
    ]


@given(st.lists(st.tuples(st.sampled_from(CONVERSIONS), st.floats(0, 1e5)), max_size=30))
def test_a_long_column_is_converted_like_its_single_values(rows):
    frame = pd.DataFrame(
        [(name, value, unit) for (name, unit), value in rows], columns=["variable", "value", "unit"]
    ).astype({"value": float})
    converted, known = convert_units(frame["variable"], frame["value"], frame["unit"], DICTIONARY)
    assert known.all()
    single = [DICTIONARY[name].convert(np.array([value]), unit)[0] for (name, unit), value in rows]
    assert converted.tolist() == single


def test_unknown_units_in_a_long_column_are_marked():
    converted, known = convert_units(
        pd.Series(["ferritin", "ferritin"]), pd.Series([1.0, 2.0]), pd.Series(["ng/mL", "?"]), DICTIONARY
    )
    assert known.tolist() == [True, False]
    assert np.isnan(converted[1])


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("White blood cell count", "leucocytes"),
        ("glutamic-pyruvic transaminase", "alt"),
        ("High sensitivity C-reactive protein", "crp"),
        ("Interleukin 2 receptor", "scd25"),
        ("铁蛋白", "ferritin"),
        ("FERRITIN", "ferritin"),
        ("bili", "bilirubin"),
        ("platelet", "platelets"),
        ("sIL_2R", "scd25"),
        ("neutrophils(%)", None),
        ("PH value", None),
    ],
)
def test_aliases_of_exports(spelling, name):
    assert DICTIONARY.resolve(spelling, DICTIONARY.measured) == name


def test_unit_spellings_are_one():
    spellings = ["10^9/L", "×10⁹/L", "x10^9/L", "10*9/L", "10E9/l", "* 10^9 / L"]
    assert {normalise_unit(s) for s in spellings} == {"10^9/l"}
    assert normalise_unit("μmol/L") == normalise_unit("µmol/l") == normalise_unit("umol/L")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,A,A,nowhere,number,,,,,,,,,,,,", "unknown table 'nowhere'"),
        ("a,A,A,patients,number,kg,g:zero,,,,,,,,,,", "dictionary.csv:2 a"),
        ("a,A,A,patients,number,kg,,x,,,,,,,,,", "could not convert"),
        ("a,A,A,patients,text,,,,,,,,,,,,\na,A,A,patients,text,,,,,,,,,,,,", "dictionary.csv:3 a: the name"),
    ],
)
def test_faulty_dictionary_names_its_line(tmp_path, row, message):
    path = tmp_path / "dictionary.csv"
    path.write_text(f"{COLUMNS}\n{row}\n", encoding="utf-8")
    with pytest.raises(DictionaryError, match=message):
        load_dictionary(path)


def test_readme_of_the_data_is_current():
    assert README_PATH.read_text(encoding="utf-8") == data_readme(), "run: python -m helpers.cohort.guide"


def test_readme_names_every_variable():
    text = data_readme()
    assert [name for name in DICTIONARY.variables if f"| {name} |" not in text] == []
