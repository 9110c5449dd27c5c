"""The statistics store: write a row, read a row, format a row."""
