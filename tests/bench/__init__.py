"""Long measurements for `make bench`: each module here has a `measure()` that returns figures by name."""
