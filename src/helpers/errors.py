"""The one error that users are told of: what was found, what was expected, and how to mend it."""


class CompendiumError(Exception):
    """Something that whoever runs the compendium can mend; commands print it without a traceback.

    Args:
        message: what was found and what was expected, in a clinician's words.
        remedy: how to mend it; becomes the end of the text.

    Example:
        >>> str(CompendiumError("No cohort 'x'.", remedy="Known are: a, b."))
        "No cohort 'x'. Known are: a, b."
    """

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip() if remedy else message)
