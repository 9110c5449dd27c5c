import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort.data_page import README_PATH, data_readme
from helpers.vocabulary.model import DRUG_CLASSES, MEASUREMENT_COLUMNS, TABLE_NAMES, ReferenceRange, limits
from helpers.vocabulary.names import fold, normalise_unit
from helpers.vocabulary.reading import FILES, SHIPPED_FOLDER, shipped_vocabulary
from helpers.vocabulary.vocabulary import looks_like_glucocorticoid

WORDS = shipped_vocabulary()
CONVERSIONS = [
    (name, unit) for name, v in WORDS.variables.items() if v.type == "number" for unit in v.unit_names
]


@pytest.mark.parametrize("file", FILES)
def test_every_row_of_a_file_has_every_field(file):
    with (SHIPPED_FOLDER / file).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    assert len({len(row) for row in rows}) == 1


def test_canonical_names_are_all_there():
    measured = (
        "temperature leucocytes neutrophils platelets hemoglobin ast alt ldh fibrinogen triglycerides "
        "ferritin crp esr scd25 bilirubin creatinine albumin splenomegaly weight_kg"
    )
    people = (
        "age sex diagnosis weight_kg fever splenomegaly hepatomegaly lymphadenopathy rash arthralgia "
        "sore_throat hemophagocytosis known_immunosuppression nk_activity_low ana_or_rf_positive"
    )
    assert set(measured.split()) <= set(WORDS.measured)
    assert set(people.split()) <= set(WORDS.columns("patients"))
    assert set(MEASUREMENT_COLUMNS) == set(WORDS.columns("measurements"))


@pytest.mark.parametrize(
    "name",
    [
        "malignancy",
        "cns_infection",
        "pregnancy",
        "infection",
        "other_rheumatic_disease",
        "molecular_diagnosis",
        "fever_39_one_week",
        "arthralgia_two_weeks",
        "impaired_consciousness",
        "red_cell_transfusion",
        "platelet_transfusion",
        "vas",
        "arthritis",
        "haemorrhage",
        "cns_involvement",
        "granulocyte_fraction",
        "prior_response",
    ],
)
def test_what_rules_speak_of_can_be_entered(name):
    assert name in {*WORDS.measured, *WORDS.columns("patients")}


@pytest.mark.parametrize("variable", WORDS.variables.values(), ids=lambda v: v.name)
def test_variable_is_consistent(variable):
    assert set(variable.tables) <= set(TABLE_NAMES)
    assert variable.label
    assert variable.label_zh
    for row in WORDS.ranges.get(variable.name, ()):
        assert row.low is None or row.high is None or row.low < row.high
        assert variable.plausible(np.array([v for v in (row.low, row.high) if v is not None])).all()
    if variable.name in WORDS.measured:
        assert variable.unit
        assert variable.source
    if variable.type in ("category", "yes_no"):
        assert {level.casefold() for level in variable.levels.values()} <= set(variable.levels)


def test_sixty_drugs_are_known_in_both_languages_with_their_class():
    assert len(WORDS.drugs) >= 60
    for drug in WORDS.drugs.values():
        assert drug.label
        assert drug.label_zh
        assert drug.drug_class in DRUG_CLASSES
        assert WORDS.drug_named(drug.label_zh) == WORDS.drug_named(drug.label) == drug.name
    assert {drug.drug_class for drug in WORDS.drugs.values()} == set(DRUG_CLASSES)


def test_glucocorticoids_and_no_others_have_an_equivalent():
    for drug in WORDS.drugs.values():
        assert (drug.prednisone_5_mg is not None) == (drug.drug_class == "glucocorticoid"), drug.name
        if "glucocorticoid" in drug.drug_class:
            assert looks_like_glucocorticoid(drug.name)
        elif drug.name != "fludrocortisone":
            assert not looks_like_glucocorticoid(drug.name), drug.name
            assert not any(map(looks_like_glucocorticoid, drug.aliases)), drug.name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("methotrexate", "methotrexate"),
        ("MTX", "methotrexate"),
        ("甲氨蝶呤", "methotrexate"),
        ("Cyclophosphamide", "cyclophosphamide"),
        ("环磷酰胺", "cyclophosphamide"),
        ("baricitinib", "baricitinib"),
        ("巴瑞替尼", "baricitinib"),
        ("red cells", "red_cells"),
        ("悬浮红细胞", "red_cells"),
        ("Plasma Exchange", "plasma_exchange"),
        ("环孢素", "ciclosporin"),
        ("Defibrotide  Sodium", "defibrotide sodium"),
    ],
)
def test_any_drug_is_a_drug(written, name):
    assert WORDS.drug_named(written) == name
    assert not WORDS.needs_decision(written)


@pytest.mark.parametrize(
    "written",
    [
        "paramethasone",
        "dexamethasone palmitate",
        "Solu-Cortef",
        "fluocortolone",
        "prednisolon 20",
        "cloprednol",
        "曲安缩松",
        "泼尼松片",
        "地塞米松棕榈酸酯",
        "corticosteroid",
        "Depo-Medrol",
    ],
)
def test_what_looks_like_a_glucocorticoid_is_asked_about(written):
    assert WORDS.needs_decision(written)


@pytest.mark.parametrize(
    "written",
    [
        "amiodarone",
        "spironolactone",
        "risperidone",
        "mifepristone",
        "predictor",
        "filgotinib",
        "testosterone",
    ],
)
def test_other_names_are_not(written):
    assert not WORDS.needs_decision(written)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("tocilizumb", "tocilizumab"),
        ("methotrexat", "methotrexate"),
        ("predinsone", "prednisone"),
        ("cyclophosphamid", "cyclophosphamide"),
        # Other drugs with near names, and names of another role.
        ("cyclobenzaprine", None),
        ("cetuximab", None),
        ("everolimus", None),
        ("peficitinib", None),
        ("vinblastine", None),
        ("paramethasone", None),
        ("lornoxicam", None),
    ],
)
def test_a_suggestion_is_a_slip_of_the_pen_and_never_another_drug(written, name):
    assert WORDS.drug_suggestion(written) == name


def test_no_known_drug_is_suggested_for_another():
    # Each known name, taken as unknown, must not be led to a drug of another role.
    for drug in WORDS.drugs.values():
        others = {s: n for s, n in WORDS.drug_spellings.items() if n != drug.name}
        for spelling in (drug.label, *drug.aliases):
            if fold(spelling) in others:
                pytest.fail(f"{spelling} means {drug.name} and {others[fold(spelling)]}")


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("贫血", "anaemia"),
        ("Anemia", "anaemia"),
        ("中性粒细胞计数降低", "neutropenia"),
        ("CMV感染", "cytomegalovirus infection"),
        ("cytomegalovirus infection", "cytomegalovirus infection"),
        ("Something else", "Something else"),
    ],
)
def test_event_terms_are_recognised_in_both_languages(written, label):
    assert WORDS.term_named(written) == label


@pytest.mark.parametrize(
    ("variable", "unit", "value", "expected"),
    [
        ("triglycerides", "mg/dL", 88.57, 1.0),
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
        ("vas", "mm", 45, 4.5),
    ],
)
def test_conversions_of_the_specification(variable, unit, value, expected):
    converted = WORDS[variable].convert(np.array([value]), unit)
    assert converted == pytest.approx([expected], abs=1e-9)


@pytest.mark.parametrize(("variable", "unit"), [("scd25", "pg/mL"), ("ferritin", "stone"), ("platelets", "")])
def test_unlisted_unit_is_never_converted(variable, unit):
    assert WORDS[variable].conversion(unit) is None
    with pytest.raises(ValueError, match="not accepted"):
        WORDS[variable].convert(np.array([1.0]), unit)


def test_conversion_gives_exact_thresholds():
    # 9.2 g/dL is a threshold of the HScore; 92.00000000000001 would miss it.
    assert WORDS["hemoglobin"].convert(np.array([9.2, 0.57, 11.1]), "g/dL").tolist() == [92.0, 5.7, 111.0]


@given(pair=st.sampled_from(CONVERSIONS), value=st.floats(0.01, 1e5))
def test_conversion_there_and_back_is_the_same_value(pair, value):
    name, unit = pair
    conversion = WORDS[name].conversion(unit)
    there = conversion.to_standard(np.array([value]))
    back = (there - conversion.offset) / conversion.factor
    # The standard value is kept to nine decimals.
    assert back == pytest.approx([value], rel=1e-9, abs=1e-9 / conversion.factor)


@given(st.lists(st.tuples(st.sampled_from(CONVERSIONS), st.floats(0, 1e5)), max_size=30))
def test_a_long_column_is_converted_like_its_single_values(rows):
    frame = pd.DataFrame(
        [(name, value, unit) for (name, unit), value in rows], columns=["variable", "value", "unit"]
    ).astype({"value": float})
    converted, spelled = WORDS.convert(frame["variable"], frame["value"], frame["unit"])
    assert list(spelled) == [unit for (_, unit), _ in rows]
    single = [WORDS[name].convert(np.array([value]), unit)[0] for (name, unit), value in rows]
    assert converted.tolist() == single


def test_unknown_units_in_a_long_column_are_marked():
    converted, spelled = WORDS.convert(
        pd.Series(["ferritin", "ferritin"]), pd.Series([1.0, 2.0]), pd.Series(["µg/L", "?"])
    )
    assert spelled.tolist() == ["ug/L", None]
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
        ("BILDIR", "direct_bilirubin"),
        ("HGB", "hemoglobin"),
        ("neutrophils(%)", None),
        ("PH value", None),
    ],
)
def test_aliases_of_exports_and_cdisc_names(spelling, name):
    assert WORDS.resolve(spelling, WORDS.measured) == name


def test_no_other_name_is_taken_for_day_0():
    columns = WORDS.columns("patients")
    for spelling in ("admission date", "入院日期", "index date", "baseline date", "TRTSDT", "首次用药日期"):
        assert WORDS.resolve(spelling, columns) is None
    assert WORDS.resolve("day 0 date", columns) == "day0_date"


def test_unit_spellings_are_one():
    spellings = ["10^9/L", "×10⁹/L", "x10^9/L", "10*9/L", "10E9/l", "* 10^9 / L"]
    assert {normalise_unit(s) for s in spellings} == {"10^9/l"}
    assert normalise_unit("μmol/L") == normalise_unit("µmol/l") == normalise_unit("umol/L")


def test_limits_of_normal_by_sex_and_age():
    rows = [
        ReferenceRange(115, 150, "female"),
        ReferenceRange(130, 175, "male", 18, 65),
        ReferenceRange(120, 170, "male", 65),
        ReferenceRange(110, 140, "", 0, 18),
    ]
    sex = ["female", "male", "male", "male", None, "other"]
    age = np.array([40.0, 64.9, 65.0, 10.0, 40.0, np.nan])
    assert limits(rows, "low", sex, age).tolist() == [115, 130, 120, 110, 115, 115]
    assert limits(rows, "high", sex, age).tolist() == [150, 175, 170, 140, 175, 175]


def test_a_sex_without_its_own_range_has_the_common_one():
    rows = [ReferenceRange(10, 50), ReferenceRange(high=40, sex="female")]
    assert limits(rows, "high", ["female", "male"], np.array([30.0, 30.0])).tolist() == [40, 50]
    assert limits(rows, "low", ["female", "male"], np.array([30.0, 30.0])).tolist() == [10, 10]


def test_small_values_are_as_implausible_as_large_ones():
    platelets = WORDS["platelets"]
    # 150 entered in /uL; none at all; the smallest count that is printed.
    assert platelets.plausible(np.array([0.15, 0.0, 1.0])).tolist() == [False, True, True]
    for name in ("leucocytes", "neutrophils", "hemoglobin", "ferritin", "triglycerides", "ldh"):
        variable = WORDS[name]
        normal = [v for row in WORDS.ranges[name] for v in (row.low, row.high) if v is not None]
        # A normal value that is wrong by a factor of 1000 in either direction is noticed.
        assert not variable.plausible(np.array(normal) / 1000).any(), name
        assert not variable.plausible(np.array(normal) * 1e6).any(), name


def test_readme_of_the_data_is_current():
    assert README_PATH.read_text(encoding="utf-8") == data_readme(), "run: python -m helpers.cohort.data_page"


def test_readme_names_every_word():
    text = data_readme()
    generated = {f"prior_{name}" for name in (*WORDS.drugs, *WORDS.drug_groups())}
    assert [name for name in WORDS.variables if f"| {name} |" not in text and name not in generated] == []
    assert [name for name in WORDS.drugs if f"| {name} |" not in text] == []
