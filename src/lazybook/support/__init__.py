"""What the rest of the package stands on: paths, progress, spelling, compiling, random numbers."""
