"""Testing whole apps: production code on a loop whose time jumps, and people made of Python."""
