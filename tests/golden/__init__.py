"""What each release wrote, and the tests that every build still reads it: see README.md here."""
