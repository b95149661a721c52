"""The web front end: one page, one WebSocket a tab."""
