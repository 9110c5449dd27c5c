"""The generated prose, whatever the cohort: short sentences, each caveat once, no words of the code."""

from __future__ import annotations

import re

import pytest
from analysed import QUICK, analysed

from helpers.report.text.blocks import Heading, Paragraph
from helpers.report.text.document import build_document
from helpers.report.text.wording import LANGUAGES, Wording

WORDS = 45  # of a sentence; what stands in brackets is read as a table
# Names of options and of code that are no words of a sentence.
CODE = r"\befron\b|\bmover\b|clopper-pearson|wilcoxon zeros|\(s\)|\w_\w|\bNone\b|exact conditional on ties"
ENDS = {"en": r"(?<=[.!?])\s+(?=[A-Z0-9])", "zh": r"(?<=[。！？])"}


def paragraphs(study, language):
    """Paragraphs of the generated text, each with the heading above it."""
    heading = ""
    for block in build_document(study, Wording.of(language, study.config)).blocks:
        if isinstance(block, Heading):
            heading = str(block.text)
        elif isinstance(block, Paragraph) and block.role == "text":
            yield heading, str(block.text)


@pytest.fixture(params=QUICK)
def study(request):
    return analysed(request.param)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_section_says_nothing_twice(study, language):
    said = set()
    for heading, text in paragraphs(study, language):
        for sentence in re.split(ENDS[language], text):
            assert not sentence or (heading, sentence) not in said, sentence
            said.add((heading, sentence))
    assert len(said) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_the_code_stands_in_the_text(study, language):
    for _, text in paragraphs(study, language):
        assert not re.search(CODE, text), text


def test_no_sentence_is_longer_than_a_reader_can_hold(study):
    for _, text in paragraphs(study, "en"):
        for sentence in re.split(ENDS["en"], text):
            plain = re.sub(r"\([^()]*\)", "", sentence)
            assert len(plain.split()) <= WORDS, f"{len(plain.split())} words: {plain}"
