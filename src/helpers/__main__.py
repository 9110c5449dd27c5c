"""``python -m helpers`` is the command ``compendium``."""

from helpers.commands.cli import main

main()
