"""Where things lie and what a source file depends on."""
