"""Due dates, extensions and rules for late submissions, as `dates.json` in the course folder has them."""
