"""Tables, manuscript and report in the formats that readers, journals and spreadsheets take."""
