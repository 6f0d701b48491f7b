"""Who may, with whose consent, and what is on record."""
