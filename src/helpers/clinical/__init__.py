"""What clinicians define: diagnosis, response, glucocorticoid doses, toxicity."""
