"""Which printed row speaks of which quantity: the ledger ids behind every constraint."""

from __future__ import annotations

from helpers.published.reconstruction.targets import TABLE_ROWS

# Counted quantities by arm (r: ruxolitinib, c: control); `of` names the denominator where it is not the arm.
COUNTS: dict[str, tuple[str, ...]] = {
    "patients.r": ("A02", "A03", "H01", "R01", "T157"),
    "patients.c": ("R45", "T158"),
    "female.r": ("A04", "R02", "R03", "T008", "T009"),
    "male.r": ("A05",),
    "female.c": ("T010", "T011"),
    "AOSD.r": ("A06", "R07", "T055", "T056"),
    "SLE.r": ("A07", "R08", "T060", "T061"),
    "other CTD.r": ("A08", "R09", "T065", "T066"),
    "AOSD.c": ("T057", "T058"),
    "SLE.c": ("T062", "T063"),
    "other CTD.c": ("T067",),
    "alive at day 56.r": ("A13", "A14", "R46", "R47"),
    "alive at day 56.c": ("A15", "A16", "R48", "R49"),
    "dead.r": ("T013", "T014", "D13"),
    "dead.c": ("T015", "T016"),
    "intravenous glucocorticoid.r": ("T018", "T019"),
    "intravenous glucocorticoid.c": ("T020", "T021"),
    "ivig.r": ("R44", "T030", "T031"),
    "ivig.c": ("T032", "T033"),
    "etoposide.r": ("R41", "T035", "T036"),
    "etoposide.c": ("T037", "T038"),
    "tocilizumab.r": ("R42", "T040", "T041"),
    "tocilizumab.c": ("T042",),
    "tacrolimus.r": ("T045",),
    "tacrolimus.c": ("T047", "T048"),
    "ciclosporin.r": ("R43", "T050", "T051"),
    "ciclosporin.c": ("T052", "T053"),
    "any immunosuppressant.r": ("R40",),
    "etoposide and ciclosporin.r": ("T155",),
    "etoposide and tocilizumab.r": ("T156",),
    "fever.r": ("R84", "T070", "T071"),
    "fever.c": ("T072", "T073"),
    "splenomegaly.r": ("R10", "T075", "T076"),
    "splenomegaly.c": ("T077", "T078"),
    "hemophagocytosis.r": ("R11", "T080", "T081"),
    "hemophagocytosis.c": ("T082", "T083"),
    "moderate anaemia.r": ("R12", "R13"),
    "severe thrombocytopenia.r": ("R17", "R18"),
    "severe neutropenia.r": ("R25", "R26"),
    "hypofibrinogenaemia.r": ("R35", "R36"),
    "cytomegalovirus infection.r": ("A20", "A21", "R76", "D09"),
    "PR week 1.r": ("R53", "R54"),
    "PR week 2.r": ("R55",),
    "CR week 2.r": ("R56",),
    "PR week 3.r": ("R58",),
    "CR week 3.r": ("R57",),
    "NR week 3.r": ("R59",),
    "PR week 8.r": ("A09", "A10", "R60", "D06"),
    "CR week 8.r": ("A11", "A12", "R61", "D05"),
    "NR week 8.r": ("R65",),
    "responders week 8.r": ("R62", "D04", "D10", "R74"),
    "switched therapy.r": ("R66",),
    "improved below PR.r": ("R67",),
    "splenomegaly resolved.r": ("R68",),
    "stopped after CR.r": ("R69",),
    "ciclosporin after remission.r": ("R70", "R71"),
    "severe adverse events.r": ("R78", "D14"),
}
DENOMINATORS = {"ciclosporin after remission.r": "responders week 8.r"}

# Medians and ranges: (variable, arm, statistic) by ledger id; Table 1 first, repeats in the text after it.
TEXT_REPEATS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "age": (("R04",), (), ()),
    "hemoglobin": (("R14",), ("R15",), ("R16",)),
    "platelets": (("R19",), ("R20",), ("R21",)),
    "leucocytes": (("R22",), ("R23",), ("R24",)),
    "neutrophils": (("R27",), ("R28",), ("R29",)),
    "ferritin": (("R30",), ("R32",), ("R33",)),
    "fibrinogen": (("R37",), ("R38",), ("R39",)),
}
DOSE_PER_KG = {
    "before": (("A18", "D07", "R79"), ("R63",), ("R64",)),
    "week 8": (("A19", "D08", "R81"), ("R82",), ("R83",)),
}

# p-values of 2 x 2 tables (Yates when an expected count is below 5, else Pearson; an empty margin gives 1).
TABLE_P_VALUES = {
    "T012": "female",
    "T017": "dead",
    "T022": "intravenous glucocorticoid",
    "T074": "fever",
    "T079": "splenomegaly",
    "T084": "hemophagocytosis",
}
LOG_RANK_P_VALUES = ("A17", "R50")

# Rows that contradict others in the paper itself; the reconstruction follows Table 1 and the counts.
SET_ASIDE = {
    "R05": "age range in the text; Table 1 prints another minimum (T002)",
    "R06": "age range in the text; Table 1 prints another maximum (T003)",
    "D11": "prints the response rate as survival; 19 of 20 were alive (R46)",
}

# Numbers that a rule of their own meets: doses, time on the drug, weeks to what was added, grades, the first
# days of response and of death.
SINGLE = ("R51", "R52", "R72", "R75", "R77", "D03", "D12")


def constrained_ids() -> frozenset[str]:
    """Return the ledger's rows that the reconstruction is made to meet.

    >>> len(constrained_ids()) > 100
    True
    """
    found = {i for ids in COUNTS.values() for i in ids} | set(TABLE_P_VALUES) | set(LOG_RANK_P_VALUES)
    found |= {f"T{first + k:03d}" for first in TABLE_ROWS.values() for k in range(7)}
    for groups in (*TEXT_REPEATS.values(), *DOSE_PER_KG.values()):
        found |= {i for ids in groups for i in ids}
    return frozenset((found | set(SINGLE)) - set(SET_ASIDE))


# Sums and orders that must hold between counted quantities: name, terms with factors, relation, constant.
Rule = tuple[str, tuple[tuple[int, str], ...], str, int]
RULES: tuple[Rule, ...] = (
    ("female and male are all treated", ((1, "female.r"), (1, "male.r"), (-1, "patients.r")), "=", 0),
    (
        "diagnoses of the treated add up",
        ((1, "AOSD.r"), (1, "SLE.r"), (1, "other CTD.r"), (-1, "patients.r")),
        "=",
        0,
    ),
    (
        "diagnoses of the controls add up",
        ((1, "AOSD.c"), (1, "SLE.c"), (1, "other CTD.c"), (-1, "patients.c")),
        "=",
        0,
    ),
    ("treated are alive or dead", ((1, "alive at day 56.r"), (1, "dead.r"), (-1, "patients.r")), "=", 0),
    ("controls are alive or dead", ((1, "alive at day 56.c"), (1, "dead.c"), (-1, "patients.c")), "=", 0),
    (
        "patients with an earlier immunosuppressant are courses less overlaps",
        (
            (1, "etoposide.r"),
            (1, "tocilizumab.r"),
            (1, "ciclosporin.r"),
            (1, "tacrolimus.r"),
            (-1, "etoposide and ciclosporin.r"),
            (-1, "etoposide and tocilizumab.r"),
            (-1, "any immunosuppressant.r"),
        ),
        "=",
        0,
    ),
    (
        "overlap within etoposide",
        ((1, "etoposide and ciclosporin.r"), (1, "etoposide and tocilizumab.r"), (-1, "etoposide.r")),
        "<=",
        0,
    ),
    ("overlap within ciclosporin", ((1, "etoposide and ciclosporin.r"), (-1, "ciclosporin.r")), "<=", 0),
    ("overlap within tocilizumab", ((1, "etoposide and tocilizumab.r"), (-1, "tocilizumab.r")), "<=", 0),
    ("everyone has fever (treated)", ((1, "fever.r"), (-1, "patients.r")), "=", 0),
    ("everyone has fever (controls)", ((1, "fever.c"), (-1, "patients.c")), "=", 0),
    (
        "responses at week 3 add up",
        ((1, "PR week 3.r"), (1, "CR week 3.r"), (1, "NR week 3.r"), (-1, "patients.r")),
        "=",
        0,
    ),
    (
        "responses at week 8 add up",
        ((1, "PR week 8.r"), (1, "CR week 8.r"), (1, "NR week 8.r"), (-1, "patients.r")),
        "=",
        0,
    ),
    (
        "responders at week 8 are PR and CR",
        ((1, "PR week 8.r"), (1, "CR week 8.r"), (-1, "responders week 8.r")),
        "=",
        0,
    ),
    (
        "non-responders at week 8 died, switched or stayed below PR",
        ((1, "dead.r"), (1, "switched therapy.r"), (1, "improved below PR.r"), (-1, "NR week 8.r")),
        "=",
        0,
    ),
    (
        "remission is not lost, week 1 to 2",
        ((1, "PR week 1.r"), (-1, "PR week 2.r"), (-1, "CR week 2.r")),
        "<=",
        0,
    ),
    (
        "remission is not lost, week 2 to 3",
        ((1, "PR week 2.r"), (1, "CR week 2.r"), (-1, "PR week 3.r"), (-1, "CR week 3.r")),
        "<=",
        0,
    ),
    (
        "remission is not lost, week 3 to 8",
        ((1, "PR week 3.r"), (1, "CR week 3.r"), (-1, "responders week 8.r")),
        "<=",
        0,
    ),
    ("complete remission is not lost, week 2 to 3", ((1, "CR week 2.r"), (-1, "CR week 3.r")), "<=", 0),
    ("complete remission is not lost, week 3 to 8", ((1, "CR week 3.r"), (-1, "CR week 8.r")), "<=", 0),
    (
        "complete remission comes out of the first responders",
        ((1, "CR week 8.r"), (-1, "PR week 1.r")),
        "<=",
        0,
    ),
    ("every enlarged spleen resolves", ((1, "splenomegaly resolved.r"), (-1, "splenomegaly.r")), "=", 0),
    ("enlarged spleens are the responders'", ((1, "splenomegaly.r"), (-1, "responders week 8.r")), "<=", 0),
    (
        "ciclosporin was added in responders",
        ((1, "ciclosporin after remission.r"), (-1, "responders week 8.r")),
        "<=",
        0,
    ),
    ("who stopped after CR had CR", ((1, "stopped after CR.r"), (-1, "CR week 8.r")), "<=", 0),
    (
        "cytomegalovirus infections are in survivors",
        ((1, "cytomegalovirus infection.r"), (-1, "alive at day 56.r")),
        "<=",
        0,
    ),
)
