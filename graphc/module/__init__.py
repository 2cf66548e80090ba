"""What a user holds: a compiled model, and how its arguments and results map to those of the generated file."""
