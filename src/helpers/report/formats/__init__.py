"""One table in the formats that readers, journals and spreadsheets take."""
