"""What the command needs to know of warm processes before it imports anything else."""

KEPT_PREFIX = "compendium-warm-"  # of folders of kept processes; behind it stands the user
# For `gc`: a tenth of the time of drawing, and of a start, went into looking after every 700 objects.
COLLECT_AFTER = (100_000, 20, 20)
