"""Whether a folder of results that somebody sent is what it says it is."""
