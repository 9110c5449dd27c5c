"""The shape of a criteria file: one pydantic model for each kind, and one for each form of a rule.

A file is read in three steps: its settings are put in (`criteria_files`), its shape is checked here, and its
variables and units are checked against the vocabulary when the rules are made (`rule_reading`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Operator = Literal[">", ">=", "<", "<=", "="]
Moment = Literal["visit", "baseline"]
MissingPolicy = Literal["undetermined", "not_met"]
Text = Annotated[str, Field(min_length=1)]
Number = float
Names = Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]

# What stands in the place of a rule that has none of the known forms.
RULE_FORMS: Final = (
    "variable with op, value and unit; variable with falls_percent or rises_percent; "
    'variable with is = "yes" or "no"; any_of; any_known; all_of; at_least with of; not; '
    "choose with among; or when with then and otherwise"
)
RULE_TAG: Final = "rule:"  # marks the parts of a fault's place that are forms of a rule, not keys
_COMBINATIONS = ("any_of", "any_known", "all_of", "at_least", "not", "when")


class Node(BaseModel):
    """A table of a criteria file: unknown keys are refused, and a text is not taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SettingNode(Node):
    """An open choice: its default, the choices if they are few, and how well it is known."""

    default: bool | int | float | str
    choices: tuple[bool | int | float | str, ...] = Field(default=(), strict=False)
    standing: Text = "unverified"
    note: str = ""


class LimitNode(Node):
    """A comparison with a limit; `printed` holds the same limit as it is printed in other units."""

    variable: Text
    op: Operator
    value: Number
    unit: Text
    printed: dict[str, Number] = {}
    at: Moment = "visit"


class SignNode(Node):
    """A sign that is present or absent."""

    variable: Text
    is_: Literal["yes", "no"] = Field(alias="is")
    at: Moment = "visit"


class FallNode(Node):
    """A fall from baseline by at least so many percent."""

    variable: Text
    falls_percent: float = Field(gt=0, le=100)


class RiseNode(Node):
    """A rise from baseline by at least so many percent."""

    variable: Text
    rises_percent: float = Field(gt=0)


class AnyOfNode(Node):
    """Any of several rules."""

    any_of: tuple[RuleNode, ...] = Field(min_length=1, strict=False)


class AllOfNode(Node):
    """All of several rules."""

    all_of: tuple[RuleNode, ...] = Field(min_length=1, strict=False)


class AnyKnownNode(Node):
    """Several records of one finding."""

    any_known: tuple[RuleNode, ...] = Field(min_length=1, strict=False)


class AtLeastNode(Node):
    """At least so many of several rules."""

    at_least: int = Field(ge=0)
    of: tuple[RuleNode, ...] = Field(min_length=1, strict=False)


class NotNode(Node):
    """The rule does not hold."""

    not_: RuleNode = Field(alias="not")


class WhenNode(Node):
    """One rule where a condition holds, another where it does not."""

    when: RuleNode
    then: RuleNode
    otherwise: RuleNode
    assume: Literal["", "then", "otherwise"] = ""


def rule_form(entry: Any) -> str | None:
    """Name the form of a rule's table; None if it has none, or more than one.

    Example:
        >>> rule_form({"variable": "fever", "is": "yes"})
        'rule:sign'
    """
    if not isinstance(entry, Mapping):
        return None
    if "variable" in entry:
        for key, form in {"is": "sign", "falls_percent": "fall", "rises_percent": "rise"}.items():
            if key in entry:
                return f"{RULE_TAG}{form}"
        return f"{RULE_TAG}limit"
    forms = [name for name in _COMBINATIONS if name in entry]
    return f"{RULE_TAG}{forms[0]}" if len(forms) == 1 else None


RuleNode = Annotated[
    Annotated[LimitNode, Tag("rule:limit")]
    | Annotated[SignNode, Tag("rule:sign")]
    | Annotated[FallNode, Tag("rule:fall")]
    | Annotated[RiseNode, Tag("rule:rise")]
    | Annotated[AnyOfNode, Tag("rule:any_of")]
    | Annotated[AllOfNode, Tag("rule:all_of")]
    | Annotated[AnyKnownNode, Tag("rule:any_known")]
    | Annotated[AtLeastNode, Tag("rule:at_least")]
    | Annotated[NotNode, Tag("rule:not")]
    | Annotated[WhenNode, Tag("rule:when")],
    Discriminator(rule_form, custom_error_type="rule_form", custom_error_message=RULE_FORMS),
]


class ItemNode(Node):
    """One item of a criteria set."""

    id: Text
    label: Text
    rule: RuleNode
    group: Text = "items"
    missing: Literal["", "undetermined", "not_met"] = ""
    standing: str = ""
    note: str = ""


class NeedNode(Node):
    """How many items of which groups are needed, or at most allowed."""

    at_least: int | None = Field(default=None, ge=0)
    at_most: int | None = Field(default=None, ge=0)
    among: tuple[str, ...] | None = Field(default=None, min_length=1, strict=False)
    way: Text = "main"


class StepNode(Node):
    """Points that a score gives where a rule holds."""

    points: Number
    rule: RuleNode


class ScoreItemNode(Node):
    """One item of a score: steps of points, or a coefficient by which a value is multiplied."""

    id: Text
    label: Text
    steps: tuple[StepNode, ...] = Field(default=(), strict=False)
    coefficient: Number | None = None
    variable: str = ""
    unit: str = ""
    standing: str = ""
    note: str = ""


class CutoffNode(Node):
    """The score from which the verdict is met."""

    op: Operator
    value: Number


class RunNode(Node):
    """The longest run of days before day 0 on a dose of at least so much."""

    dose: Literal["mg_per_kg", "prednisone_mg"]
    at_least: float = Field(gt=0)
    routes: tuple[Text, ...] = Field(default=(), strict=False)
    label: str = ""


class MarkerThresholdNode(Node):
    """A marker's own threshold, and whom it speaks of."""

    improved: RuleNode
    applies: RuleNode | None = None


class MarkerNode(Node):
    """One marker of a response rule: a variable with the direction of improvement, or rules of its own."""

    id: Text
    label: Text
    variable: str = ""
    direction: Literal["down", "up"] = "down"
    abnormal: RuleNode | None = None
    improved: RuleNode | None = None
    normal: RuleNode | None = None
    specific: MarkerThresholdNode | None = None


class TermNode(Node):
    """One term of a toxicity scale: the rules of its grades, and what events of it are called."""

    id: Text
    term: Text
    variable: Text
    direction: Literal["low", "high"] = "low"
    grades: dict[Literal["1", "2", "3", "4", "5"], RuleNode] = Field(min_length=1)
    recorded_as: tuple[Text, ...] = Field(default=(), strict=False)
    note: str = ""


class FileNode(Node):
    """What every criteria file has."""

    name: Text
    version: Text
    title: Text
    source: Text
    cite: tuple[Text, ...] = Field(default=(), strict=False)
    note: str = ""


class CriteriaNode(FileNode):
    """A set of items with what is needed of them."""

    kind: Literal["criteria"]
    missing: MissingPolicy = "undetermined"
    items: tuple[ItemNode, ...] = Field(min_length=1, strict=False)
    needs: tuple[NeedNode, ...] = Field(min_length=1, strict=False)
    runs: dict[str, RunNode] = {}
    verdicts: dict[str, Names] = {}


class ScoreNode(FileNode):
    """A sum of points, or of weighted values, with a cut-off."""

    kind: Literal["score"]
    missing: MissingPolicy = "undetermined"
    items: tuple[ScoreItemNode, ...] = Field(min_length=1, strict=False)
    cutoff: CutoffNode
    probability: tuple[Annotated[tuple[float, str], Field(strict=False)], ...] = Field(
        default=(), strict=False
    )


class ResponseNode(FileNode):
    """A rule of complete, partial and no response."""

    kind: Literal["response"]
    markers: tuple[MarkerNode, ...] = Field(min_length=1, strict=False)


class ToxicityNode(FileNode):
    """A version of a toxicity scale."""

    kind: Literal["toxicity"]
    terms: tuple[TermNode, ...] = Field(min_length=1, strict=False)


KINDS: Final[Mapping[str, type[FileNode]]] = {
    "criteria": CriteriaNode, "score": ScoreNode, "response": ResponseNode, "toxicity": ToxicityNode,
}  # fmt: skip

FORMS: Final[Mapping[str, type[Node]]] = {
    "rule:limit": LimitNode, "rule:sign": SignNode, "rule:fall": FallNode, "rule:rise": RiseNode,
    "rule:any_of": AnyOfNode, "rule:all_of": AllOfNode, "rule:any_known": AnyKnownNode,
    "rule:at_least": AtLeastNode, "rule:not": NotNode, "rule:when": WhenNode,
}  # fmt: skip

for _model in FORMS.values():
    _model.model_rebuild()
