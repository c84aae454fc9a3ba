"""The units of the course, one package each: its experiments, and a folder for each of its exercises.

The unit `01-transfer-learning` is in `u01_transfer_learning`. Importing a unit imports no torch.
"""
