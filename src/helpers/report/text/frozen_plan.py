"""Claims about the frozen plan: when it was frozen, and what deviates from it; none without a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.report.text.claims import Claim, Slot
from helpers.report.text.prose import Declared

_LONGEST = 200  # signs of a value that a sentence shows


def frozen_plan(found: Mapping[str, Any]) -> list[Claim]:
    """Whether the plan was frozen before the data came in, and how many settings deviate from it.

    Args:
        found: ``plan_deviations.json``; empty where no plan is frozen.
    """
    if not found:
        return []
    if found.get("altered"):
        return [Claim("methods.plan_altered")]
    slots: dict[str, Slot] = {"digest": _said(found, "digest"), "data": _said(found, "data_digest")}
    claims = [Claim(f"methods.plan_data_{found['data']}", slots)]
    if found["former"]:
        claims.append(Claim("methods.plan_again", {"number": _said(found, "former")}))
    number = len(found["deviations"])
    counted: dict[str, Slot] = {"number": Declared(str(number), "frozen_plan.deviations")}
    kept = "methods.plan_kept" if not number else "methods.plan_deviates"
    return [*claims, Claim(kept, counted if number else {})]


def deviations(found: Mapping[str, Any]) -> list[list[Claim]]:
    """One paragraph a setting that deviates: its value in the frozen plan, and the present one."""
    return [
        [
            Claim(
                "methods.plan_deviation",
                {key: Declared(_short(one[key]), f"frozen_plan.{one['setting']}")
                 for key in ("setting", "frozen", "present")},
            )
        ]
        for one in found.get("deviations", [])
    ]  # fmt: skip


def _said(found: Mapping[str, Any], key: str) -> Declared:
    return Declared(str(found[key]), f"frozen_plan.{key}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
