"""``python -m helpers`` is the command ``compendium``."""

from helpers.commands.entry import main

main()
