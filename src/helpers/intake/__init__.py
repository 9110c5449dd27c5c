"""From a hospital's file to the tables of a cohort: look, propose, confirm, replay."""
