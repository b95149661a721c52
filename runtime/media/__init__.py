"""Media: sound files opened, kept and written for the sessions."""
