"""Statements to text: names, precedence, comments; one file a target."""
