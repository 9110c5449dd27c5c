"""The field's words: variables, drugs, event terms, units, ranges and labels; one source for each."""
