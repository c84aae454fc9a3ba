"""The checker's side: runs the test cells, and decides what earns points."""
